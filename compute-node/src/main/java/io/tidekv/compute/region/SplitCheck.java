package io.tidekv.compute.region;

import io.tidekv.proto.region.RegionShape;

/**
 * Decides when a region is large enough to be split. Its size is only asked for after it has grown
 * by a part of the limit, so an attempt that failed is repeated after more growth. Belongs to the
 * region's loop.
 */
final class SplitCheck {
    private final long splitBytes;
    private final long stepBytes;
    private long grownBytes;

    /** {@code splitBytes} 0: never. */
    SplitCheck(long splitBytes) {
        this.splitBytes = splitBytes;
        this.stepBytes = Math.max(1, splitBytes / 16);
        this.grownBytes = stepBytes;
    }

    void grown(long bytes) {
        grownBytes += bytes;
    }

    boolean due(LedRegion led) {
        if (splitBytes == 0 || grownBytes < stepBytes) {
            return false;
        }
        grownBytes = 0;
        RegionShape shape = led.machine().shape();
        long bytes =
                led.tablet()
                        .approximateBytes(
                                shape.getStartKey().toByteArray(), shape.getEndKey().toByteArray());
        return bytes >= splitBytes;
    }
}
