package io.tidekv.compute.region;

import io.tidekv.compute.region.core.LeaderOptions;
import java.time.Duration;

/**
 * Bounds and policies of a store's regions.
 *
 * @param loops threads that drive regions
 * @param openers threads that open tablets
 * @param publishers threads that flush and upload
 * @param leader durations and windows of each leader
 * @param regionProposalBytes writes of one region that wait or are under way
 * @param storeProposalBytes the same over all regions
 * @param entryBytesMax largest write taken
 * @param joinBytes writes that wait together are joined to entries of about this size
 * @param unpublishedBytesMax applied but not published, over all regions; no writes beyond
 * @param publishBytes a region with so much unpublished is published
 * @param publishAge a region with anything unpublished for so long is published
 * @param splitBytes a region of this size is split; 0: never
 * @param splitWrites a region with so many written keys per second, for 10 s, is split; 0: never
 * @param splitPauseMax how long a split may hold writes up before it is given up
 * @param proposalTimeout after this the fate of a write is declared unknown
 * @param readTimeout for a quorum to confirm a read without a lease
 * @param shutdown for the orderly end
 * @param tabletsKept so many open tablets are no burden: regions open theirs without being asked
 * @param tabletIdle a tablet that nobody has used for so long is closed; zero: never. A tenth of it
 *     when more than {@code tabletsKept} are open
 */
public record StoreOptions(
        int loops,
        int openers,
        int publishers,
        LeaderOptions leader,
        long regionProposalBytes,
        long storeProposalBytes,
        long entryBytesMax,
        long joinBytes,
        long unpublishedBytesMax,
        long publishBytes,
        Duration publishAge,
        long splitBytes,
        long splitWrites,
        Duration splitPauseMax,
        Duration proposalTimeout,
        Duration readTimeout,
        Duration shutdown,
        int tabletsKept,
        Duration tabletIdle) {

    /** What a store runs with unless told otherwise. */
    public static StoreOptions defaults() {
        return new StoreOptions(
                1,
                4,
                2,
                LeaderOptions.defaults(),
                48L << 20,
                256L << 20,
                32L << 20,
                1L << 20,
                512L << 20,
                32L << 20,
                Duration.ofSeconds(60),
                96L << 20,
                0,
                Duration.ofSeconds(2),
                Duration.ofSeconds(10),
                Duration.ofSeconds(3),
                Duration.ofSeconds(5),
                256,
                Duration.ofMinutes(5));
    }

    /** How long WAL nodes refuse other owners after they have answered. */
    public Duration lease() {
        return Duration.ofMillis(leader.leaseMs());
    }

    /** The same with other publishing triggers. */
    public StoreOptions withPublishing(long bytes, Duration age) {
        return with(unpublishedBytesMax, bytes, age, splitBytes, tabletsKept, tabletIdle);
    }

    /** The same with another size at which regions are split. */
    public StoreOptions withSplitBytes(long bytes) {
        return with(unpublishedBytesMax, publishBytes, publishAge, bytes, tabletsKept, tabletIdle);
    }

    /** The same with another bound of unpublished bytes. */
    public StoreOptions withUnpublishedMax(long bytes) {
        return with(bytes, publishBytes, publishAge, splitBytes, tabletsKept, tabletIdle);
    }

    /** The same with other bounds of what is kept open. */
    public StoreOptions withTablets(int kept, Duration idle) {
        return with(unpublishedBytesMax, publishBytes, publishAge, splitBytes, kept, idle);
    }

    private StoreOptions with(
            long unpublished, long publish, Duration age, long split, int kept, Duration idle) {
        return new StoreOptions(
                loops,
                openers,
                publishers,
                leader,
                regionProposalBytes,
                storeProposalBytes,
                entryBytesMax,
                joinBytes,
                unpublished,
                publish,
                age,
                split,
                splitWrites,
                splitPauseMax,
                proposalTimeout,
                readTimeout,
                shutdown,
                kept,
                idle);
    }
}
