package io.tidekv.compute.region;

import io.tidekv.proto.wal.WalRequest;
import io.tidekv.proto.wal.WalResponse;

/**
 * How a response finds the loop that asked. Requests of a region's leader return to the region's
 * loop. Renewals (no region) and requests that a loop makes for a region that it does not lead
 * carry the loop in their sequence number; the latter also a mark, for the region may be led here
 * as well.
 */
final class LoopSeq {
    // A leader puts its term into the upper bits; the uppermost is beyond any term.
    private static final long ASIDE = Long.MIN_VALUE;

    private LoopSeq() {}

    static int loopOf(long regionId, int loops) {
        return (int) Long.remainderUnsigned(regionId, loops);
    }

    static int loopOf(WalResponse response, int loops) {
        return response.getRegionId() == 0 || isAside(response)
                ? (int) ((response.getSeq() & ~ASIDE) % loops)
                : loopOf(response.getRegionId(), loops);
    }

    /** The renewal with the loop's mark. */
    static WalRequest mark(WalRequest renewal, int loop, int loops) {
        return renewal.toBuilder().setSeq(renewal.getSeq() * loops + loop).build();
    }

    /** The response as the renewer expects it. */
    static WalResponse unmark(WalResponse response, int loops) {
        return response.toBuilder().setSeq(response.getSeq() / loops).build();
    }

    /** The {@code n}-th number for requests aside. */
    static long aside(long n, int loop, int loops) {
        return ASIDE | (n * loops + loop);
    }

    static boolean isAside(WalResponse response) {
        return (response.getSeq() & ASIDE) != 0;
    }
}
