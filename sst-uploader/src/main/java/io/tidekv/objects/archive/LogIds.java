package io.tidekv.objects.archive;

import io.tidekv.proto.region.Origin;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;

/**
 * Which log of a region entries belong to. A region that is restored keeps its id and begins a new
 * log, whose indexes and even terms may be those of the old one; their origins differ.
 */
public final class LogIds {
    /** Of a voter that does not know its region's origin. */
    public static final long UNKNOWN = 0;

    private LogIds() {}

    /** The id of the log that began in this way; {@link #UNKNOWN} when that is not said. */
    public static long of(Origin origin) {
        return switch (origin.getKindCase()) {
            case BOOTSTRAP -> hash("bootstrap");
            case SPLIT ->
                    hash(
                            "split/"
                                    + Long.toUnsignedString(origin.getSplit().getParentRegionId())
                                    + "/"
                                    + Long.toUnsignedString(origin.getSplit().getSplitIndex()));
            case RESTORE ->
                    hash(
                            "restore/"
                                    + origin.getRestore().getFirstRecord().getKey()
                                    + "/"
                                    + origin.getRestore().getFirstRecord().getOffset());
            case KIND_NOT_SET -> UNKNOWN;
        };
    }

    private static long hash(String text) {
        try {
            byte[] digest =
                    MessageDigest.getInstance("SHA-256")
                            .digest(text.getBytes(StandardCharsets.UTF_8));
            return ByteBuffer.wrap(digest).getLong() | 1;
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java has SHA-256", e);
        }
    }
}
