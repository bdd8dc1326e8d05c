package io.tidekv.compute.service;

import io.tidekv.common.error.KvError;
import io.tidekv.common.error.KvException;
import io.tidekv.compute.pd.TimestampSource;
import io.tidekv.compute.region.RegionAccess;
import io.tidekv.compute.region.RegionAccess.Region;
import io.tidekv.compute.txn.Concurrency;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Makes sure that this store chooses commit timestamps for a region only above every read that an
 * earlier owner can have served: once in each term and version it takes a timestamp from PD, after
 * the region was seen to be led here, and raises the highest read timestamp to it. Earlier owners'
 * leases had run out by then, so they served nothing above it; the same holds for those of a
 * neighbour that the region has taken over, whence the version. Thread-safe.
 */
final class MaxTsSync {
    private static final int SLACK = 1024;

    private final RegionAccess regions;
    private final TimestampSource timestamps;
    private final Concurrency concurrency;
    private final Map<Long, Term> terms = new ConcurrentHashMap<>();

    private record Term(long term, long version, CompletableFuture<Void> raised) {
        boolean isOf(Region region) {
            return term == region.term() && version == region.shape().getVersion();
        }

        boolean isBefore(Term other) {
            return term < other.term || (term == other.term && version < other.version);
        }
    }

    MaxTsSync(RegionAccess regions, TimestampSource timestamps, Concurrency concurrency) {
        this.regions = regions;
        this.timestamps = timestamps;
        this.concurrency = concurrency;
    }

    /** Completes once timestamps may be chosen for the region in its present term. */
    CompletableFuture<Void> ready(Region region) {
        if (!concurrency.rules().ownersTakeTimestamp()) {
            return CompletableFuture.completedFuture(null);
        }
        long id = region.shape().getRegionId();
        Term known = terms.get(id);
        if (known != null && known.isOf(region) && !failed(known)) {
            return known.raised;
        }
        prune();
        CompletableFuture<Void> raised = new CompletableFuture<>();
        Term mine = new Term(region.term(), region.shape().getVersion(), raised);
        Term now =
                terms.compute(
                        id,
                        (key, old) ->
                                old == null || old.isBefore(mine) || failed(old) ? mine : old);
        if (now.raised != raised) {
            return now.raised;
        }
        timestamps
                .next()
                .whenComplete(
                        (ts, error) -> {
                            if (error == null) {
                                concurrency.raise(ts);
                                raised.complete(null);
                            } else {
                                raised.completeExceptionally(notSynced());
                            }
                        });
        return raised;
    }

    /** True if timestamps may be chosen now. */
    boolean isReady(Region region) {
        if (!concurrency.rules().ownersTakeTimestamp()) {
            return true;
        }
        Term known = terms.get(region.shape().getRegionId());
        return known != null && known.isOf(region) && known.raised.isDone() && !failed(known);
    }

    static KvException notSynced() {
        return new KvException(
                new KvError.MaxTimestampNotSynced(
                        "the region has a new leader that has no timestamp from PD yet: retry"));
    }

    private static boolean failed(Term term) {
        return term.raised.isCompletedExceptionally();
    }

    private void prune() {
        if (terms.size() > SLACK && terms.size() > 2 * regions.regions().size()) {
            Set<Long> led = new HashSet<>();
            regions.regions().forEach(region -> led.add(region.shape().getRegionId()));
            terms.keySet().retainAll(led);
        }
    }
}
