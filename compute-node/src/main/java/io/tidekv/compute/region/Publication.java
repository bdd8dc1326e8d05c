package io.tidekv.compute.region;

import io.tidekv.common.Invariants;
import io.tidekv.compute.region.log.AppendRefused;
import io.tidekv.compute.region.log.RegionLog;
import io.tidekv.compute.tablet.PreparedRecord;
import io.tidekv.compute.tablet.PublishRequest;
import io.tidekv.compute.tablet.Publisher;
import io.tidekv.compute.tablet.Tablet;
import io.tidekv.proto.region.EntryKind;
import io.tidekv.proto.region.ManifestCommit;
import io.tidekv.proto.region.ObjectRef;
import io.tidekv.proto.region.Snapshot;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Publishes a region's tablet: by size, by age and on request, one publication at a time. Prepared
 * on a pool while the region serves, then proposed through the region's log; done when that entry
 * is applied. A failed attempt is repeated after a pause that grows. Belongs to the region's loop.
 */
final class Publication {
    private static final Logger log = LoggerFactory.getLogger(Publication.class);
    private static final long PAUSE_MIN_MS = 500;
    private static final long PAUSE_MAX_MS = 10_000;

    private enum Step {
        IDLE,
        PREPARING,
        PREPARED,
        COMMITTING
    }

    private final RegionEnv env;
    private final RegionLog regionLog;
    private final RegionMachine machine;
    private final Tablet tablet;
    private final TabletWork work;
    private final Runnable touch;

    private Step step = Step.IDLE;
    private @Nullable PreparedRecord prepared;
    private long proposedIndex;
    // Told when a publication that began after they asked is done; null means success.
    private List<Consumer<@Nullable Throwable>> asked = new ArrayList<>();
    private List<Consumer<@Nullable Throwable>> served = new ArrayList<>();
    private long dirtyIndex;
    private long dirtySinceNanos;
    private long preparingSinceNanos;
    private long pauseMs;
    private long notBeforeNanos;
    private boolean held;
    private boolean ended;

    /** {@code touch} asks the loop for another round of the region. */
    Publication(
            RegionEnv env,
            RegionLog regionLog,
            RegionMachine machine,
            Tablet tablet,
            TabletWork work,
            Runnable touch) {
        this.env = env;
        this.regionLog = regionLog;
        this.machine = machine;
        this.tablet = tablet;
        this.work = work;
        this.touch = touch;
        this.notBeforeNanos = env.nowNanos();
    }

    /** An entry that a record must cover has been applied. */
    void dirty(long index) {
        if (isClean()) {
            dirtySinceNanos = env.nowNanos();
        }
        dirtyIndex = index;
    }

    /** Whether the current record holds everything but empty entries, and no lot of garbage. */
    boolean isClean() {
        PreparedRecord base = tablet.base();
        long covered = base == null ? 0 : base.record().getAppliedIndex();
        return dirtyIndex <= covered && !tablet.changedBesideLog();
    }

    /** Publishes what is applied by now; {@code done} gets null, or what went wrong. */
    void request(Consumer<@Nullable Throwable> done) {
        asked.add(done);
        next();
    }

    /** Takes over whoever asks a former tablet's publication, and is not served by that. */
    void inherit(Publication former) {
        asked.addAll(former.asked);
        former.asked = new ArrayList<>();
        next();
    }

    /** Starts no new publication until released: a split works on a state of its own. */
    void hold() {
        held = true;
    }

    void release() {
        held = false;
        next();
    }

    boolean isIdle() {
        return step == Step.IDLE;
    }

    /** Whether there is nothing to publish and nobody asks for it. */
    boolean atRest() {
        return step == Step.IDLE && asked.isEmpty() && isClean();
    }

    /** The policy: by size, by age, and earlier while the store is short of room. */
    void tick() {
        if (step != Step.IDLE || ended || isClean() || env.nowNanos() - notBeforeNanos < 0) {
            return;
        }
        long bytes = tablet.unpublishedBytes();
        long ageNanos = env.nowNanos() - dirtySinceNanos;
        boolean tight = env.budget().isTight() && bytes > env.options().publishBytes() / 16;
        if (bytes >= env.options().publishBytes()
                || ageNanos >= env.options().publishAge().toNanos()
                || tight) {
            start();
        }
    }

    private void next() {
        if (step != Step.IDLE || asked.isEmpty() || ended) {
            return;
        }
        if (isClean()) {
            List<Consumer<@Nullable Throwable>> done = asked;
            asked = new ArrayList<>();
            done.forEach(one -> one.accept(null));
        } else {
            start();
        }
    }

    private void start() {
        if (held) {
            return;
        }
        step = Step.PREPARING;
        preparingSinceNanos = env.nowNanos();
        served = asked;
        asked = new ArrayList<>();
        PublishRequest request = new PublishRequest(regionLog.term(), machine.record());
        Publisher publisher = env.tablets().publisher();
        if (served.isEmpty()) {
            // Nobody waits for it: it may share an object with other regions' records.
            work.runStage(() -> publisher.prepareShared(tablet, request), this::prepared);
        } else {
            work.run(() -> publisher.prepare(tablet, request), this::prepared);
        }
    }

    private void prepared(@Nullable PreparedRecord record, @Nullable Throwable error) {
        if (ended) {
            return;
        }
        env.metrics().published(env.nowNanos() - preparingSinceNanos, record != null);
        if (record == null) {
            failed(error == null ? new IllegalStateException("no record") : error);
            return;
        }
        prepared = record;
        step = Step.PREPARED;
        touch.run();
    }

    private void failed(Throwable error) {
        step = Step.IDLE;
        pauseMs = Math.min(Math.max(PAUSE_MIN_MS, pauseMs * 2), PAUSE_MAX_MS);
        notBeforeNanos = env.nowNanos() + pauseMs * 1_000_000;
        log.warn(
                "region {} could not be published, next try in {} ms: {}",
                regionLog.regionId(),
                pauseMs,
                error.toString());
        List<Consumer<@Nullable Throwable>> told = served;
        served = new ArrayList<>();
        told.forEach(one -> one.accept(error));
        // Who asked meanwhile gets the same answer, instead of another wait.
        told = asked;
        asked = new ArrayList<>();
        told.forEach(one -> one.accept(error));
    }

    /** Proposes what is prepared. */
    void submit() {
        PreparedRecord record = prepared;
        if (step != Step.PREPARED || record == null || ended) {
            return;
        }
        ManifestCommit.Builder commit =
                ManifestCommit.newBuilder()
                        .setRecord(record.ref())
                        .setAppliedIndex(record.record().getAppliedIndex())
                        .setAppliedTerm(record.record().getAppliedTerm());
        ObjectRef parent = machine.record();
        if (parent != null) {
            commit.setParent(parent);
        }
        try {
            proposedIndex =
                    regionLog.append(EntryKind.MANIFEST_COMMIT, commit.build().toByteString());
            step = Step.COMMITTING;
        } catch (AppendRefused e) {
            if (e.reason() != AppendRefused.Reason.FULL) {
                step = Step.IDLE;
            }
        }
    }

    /** A ManifestCommit was applied and has made its record current. */
    void published(long index, ManifestCommit commit) {
        PreparedRecord record = prepared;
        Invariants.check(
                step == Step.COMMITTING && index == proposedIndex && record != null,
                "entry %s publishes a record that this leader has not proposed",
                index);
        tablet.published(Invariants.present(record, "record"));
        trim();
        log.debug(
                "region {} is published up to {}: {}",
                regionLog.regionId(),
                commit.getAppliedIndex(),
                commit.getRecord().getKey());
        step = Step.IDLE;
        prepared = null;
        pauseMs = 0;
        dirtySinceNanos = preparingSinceNanos;
        List<Consumer<@Nullable Throwable>> told = served;
        served = new ArrayList<>();
        told.forEach(one -> one.accept(null));
        next();
    }

    /**
     * Lets the voters drop what the current record covers, unless a child of a split may still need
     * it: until it has published once it lives on this region's log; or PD does not know yet of a
     * neighbour that has been taken over. That the log still shows what has left a duty behind is
     * what {@link LogEnd} relies on.
     */
    void trim() {
        PreparedRecord base = tablet.base();
        if (base == null
                || !machine.state().pendingChildren().isEmpty()
                || !machine.state().merges().isEmpty()
                || base.record().getAppliedIndex() <= regionLog.start().getIndex()) {
            return;
        }
        regionLog.trimTo(
                Snapshot.newBuilder()
                        .setIndex(base.record().getAppliedIndex())
                        .setTerm(base.record().getAppliedTerm())
                        .setRecord(base.ref())
                        .build());
    }

    /** The own ManifestCommit was void, which cannot happen while nobody else publishes. */
    void refused(long index, String reason) {
        Invariants.check(
                index != proposedIndex, "the own ManifestCommit %s is void: %s", index, reason);
    }

    /** The region is not led here any more: nothing is published from now on. */
    void end(Throwable reason) {
        ended = true;
        List<Consumer<@Nullable Throwable>> told = new ArrayList<>(served);
        told.addAll(asked);
        served = new ArrayList<>();
        asked = new ArrayList<>();
        told.forEach(one -> one.accept(reason));
    }
}
