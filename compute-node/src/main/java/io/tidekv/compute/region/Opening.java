package io.tidekv.compute.region;

import io.tidekv.common.InvariantViolation;
import io.tidekv.common.Invariants;
import io.tidekv.compute.region.log.RegionLog;
import io.tidekv.compute.region.log.RegionLog.Stage;
import io.tidekv.compute.tablet.PreparedRecord;
import io.tidekv.proto.region.Entry;
import io.tidekv.proto.region.Origin;
import io.tidekv.proto.region.RegionShape;
import io.tidekv.proto.region.SplitOrigin;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Brings a region from a log that has been opened to a tablet that has applied the whole log:
 * collects the committed tail, then opens the tablet on a pool, or goes on with a warm one that
 * stands on the same record. Belongs to the region's loop.
 */
final class Opening {
    /** Told how it goes; called on the loop. */
    interface Listener {
        void onOpened(TabletOpening.Opened opened, List<Entry> replayed);

        /** It is tried again. */
        void onDelay(String reason);

        void onFailure(RuntimeException error);

        /** To be closed. */
        void onUseless(WarmTablet tablet);
    }

    private static final Logger log = LoggerFactory.getLogger(Opening.class);

    private final RegionEnv env;
    private final RegionLoop loop;
    private final RegionLog regionLog;
    private final RegionShape assigned;
    private final TabletWork pool;
    private final Listener listener;
    private final OpeningRetry retry = new OpeningRetry();
    private @Nullable WarmTablet warm;
    private @Nullable LogTail tail;
    private @Nullable ParentLog parent;
    private int parentAttempts;
    private boolean collected;
    private boolean wasWarm;
    private long collectedNanos;

    Opening(
            RegionEnv env,
            RegionLoop loop,
            RegionLog regionLog,
            RegionShape assigned,
            TabletWork pool,
            @Nullable WarmTablet warm,
            Listener listener) {
        this.env = env;
        this.loop = loop;
        this.regionLog = regionLog;
        this.assigned = assigned;
        this.pool = pool;
        this.warm = warm;
        this.listener = listener;
    }

    /** Whether the log is complete and the tablet is being opened. */
    boolean isLoading() {
        return collected;
    }

    /** When the log was complete. */
    long collectedNanos() {
        return collectedNanos;
    }

    /** Whether a warm tablet was gone on with. */
    boolean wasWarm() {
        return wasWarm;
    }

    /** Takes what has been committed so far; opens the tablet when that is everything. */
    void collect() {
        Stage stage = regionLog.stage();
        if (collected || (stage != Stage.RECOVERING && stage != Stage.LEADING)) {
            return;
        }
        WarmTablet ready = warm;
        if (ready != null && stage == Stage.RECOVERING) {
            // It may stand beyond what this owner knows to be committed so far.
            return;
        }
        LogTail so = tail;
        if (so == null && ready != null) {
            so = startAt(ready);
        }
        // A voter that joins late may know a newer snapshot; the entries before it may be gone.
        if (so == null || regionLog.start().getIndex() > regionLog.readTo()) {
            so = startCold();
        }
        so.add(regionLog.read());
        ready = warm;
        PreparedRecord base = ready == null ? null : ready.tablet().base();
        if (base != null && !base.ref().equals(so.record())) {
            // Another record has become the region's meanwhile.
            so = startCold();
            so.add(regionLog.read());
        }
        if (stage == Stage.LEADING && regionLog.readTo() == regionLog.committed()) {
            collected = true;
            collectedNanos = env.nowNanos();
            load();
        }
    }

    /** Begins behind what the warm tablet has applied; null when the log does not allow that. */
    private @Nullable LogTail startAt(WarmTablet ready) {
        PreparedRecord base = ready.tablet().base();
        long applied = ready.applied().index();
        if (base == null
                || applied < regionLog.start().getIndex()
                || applied > regionLog.committed()) {
            return null;
        }
        regionLog.seek(applied);
        LogTail behind = new LogTail(base, ready.applied());
        tail = behind;
        return behind;
    }

    /** Begins at the voters' snapshot. */
    private LogTail startCold() {
        WarmTablet useless = takeWarm();
        if (useless != null) {
            listener.onUseless(useless);
        }
        LogTail whole = new LogTail(regionLog.start());
        regionLog.seek(regionLog.start().getIndex());
        tail = whole;
        return whole;
    }

    /** The tablet that was there before, if it has not been passed on. */
    private @Nullable WarmTablet takeWarm() {
        WarmTablet last = warm;
        warm = null;
        return last;
    }

    /** Tries again what has failed. */
    void tick() {
        ParentLog reading = parent;
        if (reading != null) {
            reading.tick();
        }
        if (collected && retry.isDue(env.nowNanos())) {
            load();
        }
    }

    private void load() {
        LogTail whole = Invariants.present(tail, "log");
        retry.started();
        WarmTablet ready = takeWarm();
        Origin origin = regionLog.origin();
        if (ready == null && whole.isUnborn() && origin != null && origin.hasSplit()) {
            inherit(whole, origin.getSplit());
        } else if (ready == null) {
            open(whole, null);
        } else {
            wasWarm = true;
            pool.run(
                    () -> TabletOpening.resume(ready.assigned(assigned), whole, env::pause),
                    (opened, error) -> resumed(whole, opened, error));
        }
    }

    /** The region has no record of its own yet: it also needs what its parent wrote. */
    private void inherit(LogTail whole, SplitOrigin birth) {
        ParentLog reading =
                new ParentLog(
                        env,
                        loop,
                        birth,
                        (inherited, error) -> {
                            parent = null;
                            if (inherited == null) {
                                loaded(whole, null, error);
                            } else {
                                open(whole, inherited);
                            }
                        });
        parent = reading;
        reading.start(parentAttempts++);
    }

    private void open(LogTail whole, ParentLog.@Nullable Inherited inherited) {
        pool.run(
                () -> TabletOpening.open(env.tablets(), assigned, whole, inherited, env::pause),
                (opened, error) -> loaded(whole, opened, error));
    }

    /** Nothing is opened any more; what is warm and unused is the caller's to close. */
    @Nullable WarmTablet end() {
        ParentLog reading = parent;
        parent = null;
        if (reading != null) {
            reading.close();
        }
        return takeWarm();
    }

    /** A warm tablet that cannot go on is gone; the region is opened anew from its record. */
    private void resumed(
            LogTail whole, TabletOpening.@Nullable Opened opened, @Nullable Throwable error) {
        env.tabletsOpen().decrementAndGet();
        if (opened == null && !(error instanceof InvariantViolation)) {
            log.warn("the warm tablet of region {} is of no use", regionLog.regionId(), error);
            collected = false;
            wasWarm = false;
            startCold();
            collect();
        } else {
            loaded(whole, opened, error);
        }
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
