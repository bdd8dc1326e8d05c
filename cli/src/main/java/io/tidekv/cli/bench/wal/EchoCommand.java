package io.tidekv.cli.bench.wal;

import io.grpc.Server;
import io.grpc.stub.StreamObserver;
import io.tidekv.cli.Console;
import io.tidekv.common.config.HostPort;
import io.tidekv.common.grpc.GrpcTransports;
import io.tidekv.proto.wal.AppendResponse;
import io.tidekv.proto.wal.WalGrpc;
import io.tidekv.proto.wal.WalRequest;
import io.tidekv.proto.wal.WalRequests;
import io.tidekv.proto.wal.WalResponse;
import io.tidekv.proto.wal.WalResponses;
import java.io.IOException;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/**
 * {@code tidekv bench echo}: answers a WAL node's messages at once, on the event loop, and does
 * nothing else: what the transport alone costs. Started by {@code bench wal}.
 */
@Command(name = "echo", hidden = true, description = "A WAL node that only answers.")
public final class EchoCommand implements Callable<Integer> {
    @Option(names = "--parent", required = true, description = "End when this process is gone.")
    private long parent;

    private final Console console;

    EchoCommand(Console console) {
        this.console = console;
    }

    @Override
    public Integer call() throws IOException, InterruptedException {
        Server server =
                GrpcTransports.server(HostPort.parse("127.0.0.1:0"))
                        .directExecutor()
                        .addService(new Echo())
                        .build()
                        .start();
        console.note("echo serves at 127.0.0.1:" + server.getPort());
        while (ProcessHandle.of(parent).isPresent()) {
            if (server.awaitTermination(1, TimeUnit.SECONDS)) {
                break;
            }
        }
        server.shutdownNow();
        return 0;
    }

    private static final class Echo extends WalGrpc.WalImplBase {
        @Override
        public StreamObserver<WalRequests> session(StreamObserver<WalResponses> responses) {
            return new StreamObserver<>() {
                @Override
                public void onNext(WalRequests message) {
                    WalResponses.Builder answer = WalResponses.newBuilder();
                    for (WalRequest request : message.getRequestsList()) {
                        answer.addResponses(
                                WalResponse.newBuilder()
                                        .setSeq(request.getSeq())
                                        .setRegionId(request.getRegionId())
                                        .setAppend(AppendResponse.newBuilder().setMatched(true)));
                    }
                    responses.onNext(answer.build());
                }

                @Override
                public void onError(Throwable cause) {}

                @Override
                public void onCompleted() {
                    responses.onCompleted();
                }
            };
        }
    }
}
