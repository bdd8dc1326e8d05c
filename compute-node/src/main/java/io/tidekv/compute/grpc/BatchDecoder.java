package io.tidekv.compute.grpc;

import com.google.protobuf.CodedInputStream;
import com.google.protobuf.ExtensionRegistryLite;
import com.google.protobuf.Message;
import io.tidekv.proto.kvrpcpb.CommitRequest;
import io.tidekv.proto.kvrpcpb.Context;
import io.tidekv.proto.kvrpcpb.GetRequest;
import io.tidekv.proto.kvrpcpb.PrewriteRequest;
import io.tidekv.proto.kvrpcpb.RawDeleteRequest;
import io.tidekv.proto.kvrpcpb.RawGetRequest;
import io.tidekv.proto.kvrpcpb.RawPutRequest;
import io.tidekv.proto.tikvpb.BatchCommandsRequest;
import io.tidekv.proto.tikvpb.BatchCommandsRequest.Request;
import java.io.IOException;
import java.util.Arrays;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Decodes one message of BatchCommands to what the generated parser makes of it. Requests of the
 * small kinds share a context that is the same, byte for byte, as one before it in the message, and
 * all share a builder: what the generated parser makes for each of them is most of what a small
 * request costs. Nothing refers to the bytes afterwards. Not thread-safe.
 */
final class BatchDecoder {
    private static final ExtensionRegistryLite NONE = ExtensionRegistryLite.getEmptyRegistry();
    private static final int REQUEST = 1 << 3 | 2;
    private static final int REQUEST_ID = 2 << 3;
    private static final int REQUEST_IDS = 2 << 3 | 2;
    private static final int SEND_TIME = 3 << 3;

    /** The first field of all requests. */
    private static final int CONTEXT = 1 << 3 | 2;

    /** Contexts that are remembered; longer ones are not worth comparing. */
    private static final int CONTEXTS = 16;

    private static final int CONTEXT_BYTES_MAX = 512;

    /** The small kinds, by the number of their field. */
    private static final @Nullable Small<?>[] SMALL = small();

    private final byte[] bytes;
    private final CodedInputStream in;
    private final Request.Builder request = Request.newBuilder();
    private final @Nullable Known[] contexts = new Known[CONTEXTS];

    /** A kind of request, and how it is put together. */
    private record Small<B extends Message.Builder>(
            Supplier<B> begin, Put<B, Context> context, Put<Request.Builder, B> end) {
        void decode(CodedInputStream in, @Nullable Context known, Request.Builder out)
                throws IOException {
            B builder = begin.get();
            if (known != null) {
                context.accept(builder, known);
            }
            builder.mergeFrom(in, NONE);
            end.accept(out, builder);
        }
    }

    private interface Put<B, V> {
        void accept(B builder, V value);
    }

    /** A context and the bytes from {@code from} to {@code to} that it was decoded from. */
    private record Known(int from, int to, Context context) {}

    private BatchDecoder(byte[] bytes, int length) {
        this.bytes = bytes;
        in = CodedInputStream.newInstance(bytes, 0, length);
    }

    /**
     * The message that the first {@code length} bytes are.
     *
     * @throws IOException when they are none
     */
    static BatchCommandsRequest decode(byte[] bytes, int length) throws IOException {
        BatchCommandsRequest message = new BatchDecoder(bytes, length).message();
        return message == null
                ? BatchCommandsRequest.parser()
                        .parseFrom(CodedInputStream.newInstance(bytes, 0, length), NONE)
                : message;
    }

    /** Null for a message with fields that are not told apart here. */
    private @Nullable BatchCommandsRequest message() throws IOException {
        BatchCommandsRequest.Builder message = BatchCommandsRequest.newBuilder();
        while (true) {
            int tag = in.readTag();
            switch (tag) {
                case 0 -> {
                    in.checkLastTagWas(0);
                    return message.build();
                }
                case REQUEST -> message.addRequests(request());
                case REQUEST_ID -> message.addRequestIds(in.readUInt64());
                case REQUEST_IDS -> {
                    int outer = in.pushLimit(in.readRawVarint32());
                    while (in.getBytesUntilLimit() > 0) {
                        message.addRequestIds(in.readUInt64());
                    }
                    in.popLimit(outer);
                }
                case SEND_TIME -> message.setClientSendTimeNs(in.readUInt64());
                default -> {
                    return null;
                }
            }
        }
    }

    private Request request() throws IOException {
        int outer = in.pushLimit(in.readRawVarint32());
        request.clear();
        Small<?> kind = small(in.getBytesUntilLimit());
        if (kind != null) {
            in.readTag();
            int inner = in.pushLimit(in.readRawVarint32());
            kind.decode(in, context(), request);
            leave(inner);
        }
        if (in.getBytesUntilLimit() > 0) {
            // Another kind, or fields that are not told apart here.
            request.mergeFrom(in, NONE);
            in.checkLastTagWas(0);
        }
        in.popLimit(outer);
        return request.build();
    }

    /** Ends a message that a builder has read to its end, as it must have. */
    private void leave(int limit) throws IOException {
        in.checkLastTagWas(0);
        in.popLimit(limit);
    }

    /** The kind of the request that comes, if it is a small one. */
    private @Nullable Small<?> small(int left) {
        if (left == 0) {
            return null;
        }
        int at = in.getTotalBytesRead();
        int tag = bytes[at];
        if (tag < 0 && left > 1) {
            // Longer tags than of two bytes stay negative.
            tag = (tag & 0x7F) | (bytes[at + 1] << 7);
        }
        int field = tag >> 3;
        return (tag & 7) == 2 && field > 0 && field < SMALL.length ? SMALL[field] : null;
    }

    /** The context that comes, or null when something else does. */
    private @Nullable Context context() throws IOException {
        if (in.getBytesUntilLimit() == 0 || bytes[in.getTotalBytesRead()] != CONTEXT) {
            return null;
        }
        in.readTag();
        int length = in.readRawVarint32();
        int from = in.getTotalBytesRead();
        int outer = in.pushLimit(length);
        int to = from + length;
        int slot = slot(from, to);
        Known known = slot < 0 ? null : contexts[slot];
        if (known != null && Arrays.equals(bytes, known.from(), known.to(), bytes, from, to)) {
            in.skipRawBytes(length);
            in.popLimit(outer);
            return known.context();
        }
        Context context = Context.newBuilder().mergeFrom(in, NONE).build();
        leave(outer);
        if (slot >= 0) {
            contexts[slot] = new Known(from, to, context);
        }
        return context;
    }

    /** Where a context of these bytes is remembered; negative for nowhere. */
    private int slot(int from, int to) {
        if (to - from > CONTEXT_BYTES_MAX) {
            return -1;
        }
        int hash = 1;
        for (int i = from; i < to; i++) {
            hash = 31 * hash + bytes[i];
        }
        return (hash ^ hash >>> 16) & (CONTEXTS - 1);
    }

    private static @Nullable Small<?>[] small() {
        @Nullable Small<?>[] kinds = new Small<?>[Request.RAWDELETE_FIELD_NUMBER + 1];
        kinds[Request.GET_FIELD_NUMBER] =
                new Small<>(
                        GetRequest::newBuilder,
                        GetRequest.Builder::setContext,
                        Request.Builder::setGet);
        kinds[Request.PREWRITE_FIELD_NUMBER] =
                new Small<>(
                        PrewriteRequest::newBuilder,
                        PrewriteRequest.Builder::setContext,
                        Request.Builder::setPrewrite);
        kinds[Request.COMMIT_FIELD_NUMBER] =
                new Small<>(
                        CommitRequest::newBuilder,
                        CommitRequest.Builder::setContext,
                        Request.Builder::setCommit);
        kinds[Request.RAWGET_FIELD_NUMBER] =
                new Small<>(
                        RawGetRequest::newBuilder,
                        RawGetRequest.Builder::setContext,
                        Request.Builder::setRawGet);
        kinds[Request.RAWPUT_FIELD_NUMBER] =
                new Small<>(
                        RawPutRequest::newBuilder,
                        RawPutRequest.Builder::setContext,
                        Request.Builder::setRawPut);
        kinds[Request.RAWDELETE_FIELD_NUMBER] =
                new Small<>(
                        RawDeleteRequest::newBuilder,
                        RawDeleteRequest.Builder::setContext,
                        Request.Builder::setRawDelete);
        return kinds;
    }
}
