package io.tidekv.compute.grpc;

import io.grpc.KnownLength;
import io.grpc.MethodDescriptor;
import io.grpc.MethodDescriptor.Marshaller;
import io.grpc.Status;
import io.tidekv.proto.tikvpb.BatchCommandsRequest;
import io.tidekv.proto.tikvpb.BatchCommandsResponse;
import io.tidekv.proto.tikvpb.TikvGrpc;
import java.io.IOException;
import java.io.InputStream;

/** How messages of BatchCommands are read ({@link BatchDecoder}). Thread-safe. */
final class BatchMarshaller implements Marshaller<BatchCommandsRequest> {
    private static final int BUFFER_BYTES = 64 << 10;

    /** What a message is decoded from; longer ones get a buffer of their own. */
    private final ThreadLocal<byte[]> buffers =
            ThreadLocal.withInitial(() -> new byte[BUFFER_BYTES]);

    private final Marshaller<BatchCommandsRequest> plain =
            TikvGrpc.getBatchCommandsMethod().getRequestMarshaller();

    /** BatchCommands, with requests read so. */
    static MethodDescriptor<BatchCommandsRequest, BatchCommandsResponse> method() {
        var method = TikvGrpc.getBatchCommandsMethod();
        return method.toBuilder(new BatchMarshaller(), method.getResponseMarshaller()).build();
    }

    @Override
    public InputStream stream(BatchCommandsRequest message) {
        return plain.stream(message);
    }

    @Override
    public BatchCommandsRequest parse(InputStream stream) {
        if (!(stream instanceof KnownLength)) {
            return plain.parse(stream);
        }
        try {
            int length = stream.available();
            byte[] bytes = length <= BUFFER_BYTES ? buffers.get() : new byte[length];
            return BatchDecoder.decode(bytes, stream.readNBytes(bytes, 0, length));
        } catch (IOException e) {
            throw Status.INTERNAL
                    .withDescription("Invalid protobuf byte sequence")
                    .withCause(e)
                    .asRuntimeException();
        }
    }
}
