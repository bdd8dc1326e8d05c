package io.tidekv.compute.grpc;

import io.grpc.BindableService;
import io.grpc.ServerServiceDefinition;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.ServerCalls;
import io.tidekv.proto.tikvpb.BatchCommandsResponse;
import io.tidekv.proto.tikvpb.TikvGrpc;
import java.util.concurrent.Executor;
import java.util.function.Supplier;

/** tikvpb.Tikv. Methods that are not served answer UNIMPLEMENTED. Thread-safe. */
final class TikvService implements BindableService {
    private final CommandTable table;
    private final Gate gate;
    private final long connectionBytesMax;
    private final Supplier<Executor> flusher;

    /** {@code flusher} is asked by each stream, where that begins, who sends its answers. */
    TikvService(
            CommandTable table, Gate gate, long connectionBytesMax, Supplier<Executor> flusher) {
        this.table = table;
        this.gate = gate;
        this.connectionBytesMax = connectionBytesMax;
        this.flusher = flusher;
    }

    @Override
    public ServerServiceDefinition bindService() {
        // By name: a descriptor would have us bind every method.
        ServerServiceDefinition.Builder service =
                ServerServiceDefinition.builder(TikvGrpc.SERVICE_NAME);
        UnaryCalls unary = new UnaryCalls(gate, connectionBytesMax);
        table.commands().forEach(command -> unary.bind(service, command));
        service.addMethod(
                BatchMarshaller.method(),
                ServerCalls.asyncBidiStreamingCall(
                        out ->
                                new BatchStream(
                                        table.batched(),
                                        gate,
                                        connectionBytesMax,
                                        flusher.get(),
                                        (ServerCallStreamObserver<BatchCommandsResponse>) out)));
        return service.build();
    }
}
