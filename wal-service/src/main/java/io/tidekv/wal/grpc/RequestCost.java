package io.tidekv.wal.grpc;

import io.tidekv.proto.wal.WalRequest;
import io.tidekv.proto.wal.WalRequests;

/** What requests take up until their responses have been taken. */
final class RequestCost {
    /** Of a message and of each response, beside their bytes: empty ones are bounded too. */
    private static final long FIXED = 256;

    /** Longest response to a Read, as the voters limit it. */
    private static final long READ_BYTES_MAX = 8L << 20;

    private RequestCost() {}

    /** Bytes of the message, and of the entries that it asks for. */
    static int of(WalRequests message) {
        long bytes = message.getSerializedSize() + FIXED;
        for (WalRequest request : message.getRequestsList()) {
            bytes += FIXED;
            if (request.hasRead()) {
                bytes += Math.max(0, Math.min(READ_BYTES_MAX, request.getRead().getBytesMax()));
            }
        }
        return (int) Math.min(Integer.MAX_VALUE, bytes);
    }
}
