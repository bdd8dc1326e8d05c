package io.tidekv.compute.region;

import io.tidekv.common.InvariantViolation;
import io.tidekv.common.Invariants;
import io.tidekv.compute.region.core.LeaderPhase;
import io.tidekv.compute.region.core.RegionLeader;
import io.tidekv.proto.region.Entry;
import io.tidekv.proto.region.RegionShape;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Brings a region from a leader that has its voters to a tablet that has applied the whole log:
 * collects the committed tail, then opens the tablet on a pool. Belongs to the region's loop.
 */
final class Opening {
    /** Told how it goes; called on the loop. */
    interface Listener {
        void onOpened(TabletOpening.Opened opened, List<Entry> replayed);

        /** It is tried again. */
        void onDelay(String reason);

        void onFailure(RuntimeException error);
    }

    private final RegionEnv env;
    private final RegionLeader leader;
    private final RegionShape assigned;
    private final TabletWork pool;
    private final Listener listener;
    private final OpeningRetry retry = new OpeningRetry();
    private @Nullable LogTail tail;
    private boolean collected;

    Opening(
            RegionEnv env,
            RegionLeader leader,
            RegionShape assigned,
            TabletWork pool,
            Listener listener) {
        this.env = env;
        this.leader = leader;
        this.assigned = assigned;
        this.pool = pool;
        this.listener = listener;
    }

    /** Whether the log is complete and the tablet is being opened. */
    boolean isLoading() {
        return collected;
    }

    /** Takes what has been committed so far; opens the tablet when that is everything. */
    void collect() {
        LeaderPhase phase = leader.phase();
        if (collected || (phase != LeaderPhase.COMPLETING && phase != LeaderPhase.LEADING)) {
            return;
        }
        LogTail so = tail;
        // A voter that joins late may know a newer snapshot; the entries before it may be gone.
        if (so == null || leader.snapshot().getIndex() > leader.takenIndex()) {
            so = new LogTail(leader.snapshot());
            leader.rewind(leader.snapshot().getIndex());
            tail = so;
        }
        so.add(leader.takeCommitted());
        if (phase == LeaderPhase.LEADING && leader.takenIndex() == leader.commitIndex()) {
            collected = true;
            load();
        }
    }

    /** Tries again what has failed. */
    void tick() {
        if (collected && retry.isDue(env.nowNanos())) {
            load();
        }
    }

    private void load() {
        LogTail whole = Invariants.present(tail, "log");
        retry.started();
        pool.run(
                () -> TabletOpening.open(env.tablets(), assigned, whole, env::pause),
                (opened, error) -> loaded(whole, opened, error));
    }

    private void loaded(
            LogTail whole, TabletOpening.@Nullable Opened opened, @Nullable Throwable error) {
        if (opened != null) {
            env.tabletsOpen().incrementAndGet();
            tail = null;
            listener.onOpened(opened, whole.entries());
        } else if (error instanceof InvariantViolation || !retry.again(env.nowNanos())) {
            listener.onFailure(
                    error instanceof RuntimeException e ? e : new IllegalStateException(error));
        } else {
            listener.onDelay(String.valueOf(error == null ? null : error.getMessage()));
        }
    }
}
