package io.tidekv.compute.region;

import io.tidekv.common.Invariants;
import io.tidekv.compute.region.log.AppendRefused;
import io.tidekv.compute.tablet.AppliedMark;
import io.tidekv.compute.tablet.MergeRecords;
import io.tidekv.compute.tablet.PreparedRecord;
import io.tidekv.compute.tablet.PublishRequest;
import io.tidekv.proto.cluster.MergeOrder;
import io.tidekv.proto.region.CommitMerge;
import io.tidekv.proto.region.Entry;
import io.tidekv.proto.region.EntryKind;
import io.tidekv.proto.region.ManifestCommit;
import io.tidekv.proto.region.MergedRegion;
import io.tidekv.proto.region.RegionShape;
import io.tidekv.proto.region.VoterConfig;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One merge, from the side of the region that stays. While both serve, a record of both is stored
 * and its tablet opened, which follows what this region writes. Then the source is sealed, and one
 * entry here makes the record current and brings what the source has written since. Before that
 * entry is proposed the merge can be given up; afterwards the log decides. Belongs to the target's
 * loop.
 */
final class MergeJob {
    private static final Logger log = LoggerFactory.getLogger(MergeJob.class);
    private static final long LAG_BYTES_MAX = 64 << 10;
    private static final long WAITING_BYTES_MAX = 128L << 20;
    private static final long PREPARE_NANOS_MAX = 120_000_000_000L;

    private enum Step {
        /** Publications that are under way come first. */
        WAITING,
        PREPARING,
        FEEDING,
        /** The source is being sealed. */
        SEALING,
        PAUSED,
        COMMITTING,
        /** The entry is applied; the new tablet still takes what came before it. */
        SWAPPING,
        OVER
    }

    private final RegionEnv env;
    private final RegionPeer peer;
    private final LedRegion led;
    private final RegionPeer source;
    private final MergeOrder order;
    private final RegionShape shape;
    private final long startedNanos;
    private Step step = Step.WAITING;
    private MergedTablet.@Nullable Part part;
    private @Nullable MergedRegion gone;
    private @Nullable MergeSource other;
    private @Nullable MergedTablet merged;
    private List<Entry> waiting = new ArrayList<>();
    private List<Entry> late = List.of();
    private long waitingBytes;
    private long sealedNanos;
    private long proposedIndex;

    MergeJob(RegionEnv env, RegionPeer peer, LedRegion led, RegionPeer source, MergeOrder order) {
        this.env = env;
        this.peer = peer;
        this.led = led;
        this.source = source;
        this.order = order;
        this.shape = led.machine().shape();
        this.startedNanos = env.nowNanos();
        led.publication().hold();
    }

    /** This region's, before the merge. */
    RegionShape shape() {
        return shape;
    }

    /** The source's, as PD knows it. */
    RegionShape sourceShape() {
        return order.getSource();
    }

    void start() {
        source.later(() -> source.mergeInto(peer, this));
    }

    /** The source takes part. */
    void joined(MergeSource side) {
        if (isOver()) {
            source.later(side::release);
        } else {
            other = side;
        }
    }

    /** It can be drafted, and remembers what it writes from here on. */
    void sourceReady(MergedTablet.Part ready, MergedRegion region) {
        if (isOver()) {
            return;
        }
        if (!MergeRecords.areNeighbours(shape, ready.shape())) {
            fail(Failures.invalid("the regions are no neighbours (any more)"));
            return;
        }
        part = ready;
        gone = region;
        peer.touch();
    }

    /** Goes on when what it waits for has come. Called in each round of the region. */
    void advance() {
        if (step == Step.WAITING
                && part != null
                && led.publication().isIdle()
                && led.hasAppliedAll()) {
            prepare(part, Invariants.present(gone, "source"));
        }
        MergedTablet ready = merged;
        if (step == Step.SWAPPING && ready != null && ready.drain()) {
            swap(ready);
        }
    }

    private void prepare(MergedTablet.Part theirs, MergedRegion region) {
        step = Step.PREPARING;
        MergedTablet.Part mine =
                new MergedTablet.Part(
                        shape,
                        led.tablet(),
                        new PublishRequest(led.regionLog().term(), led.machine().record()));
        AppliedMark applied = led.tablet().applied();
        led.work().run(() -> MergedTablet.make(env, mine, applied, theirs, region), this::prepared);
    }

    private void prepared(@Nullable MergedTablet made, @Nullable Throwable error) {
        if (isOver()) {
            if (made != null) {
                made.close();
            }
        } else if (made == null) {
            fail(error == null ? new IllegalStateException("no tablet") : error);
        } else {
            merged = made;
            step = Step.FEEDING;
            feed(made);
        }
    }

    /** Brings the new tablet up to this region, on the pool until little is left. */
    private void feed(MergedTablet to) {
        to.add(waiting);
        long bytes = waitingBytes;
        waiting = new ArrayList<>();
        waitingBytes = 0;
        MergeSource side = other;
        if (bytes <= LAG_BYTES_MAX && side != null) {
            step = Step.SEALING;
            sealedNanos = env.nowNanos();
            source.later(side::seal);
            peer.touch();
            return;
        }
        led.work()
                .run(
                        () -> {
                            while (!to.drain()) {
                                env.pause();
                            }
                            return to;
                        },
                        (fed, error) -> {
                            if (isOver()) {
                                to.close();
                            } else if (fed == null) {
                                fail(error == null ? new IllegalStateException("feed") : error);
                                to.close();
                            } else {
                                feed(to);
                            }
                        });
    }

    /** What the region is about to apply. */
    void committed(List<Entry> entries) {
        MergedTablet to = merged;
        if (to != null && step.compareTo(Step.SEALING) >= 0 && !isOver()) {
            to.add(entries);
            to.drain();
        } else if (!isOver()) {
            waiting.addAll(entries);
            entries.forEach(entry -> waitingBytes += entry.getData().size());
            if (waitingBytes > WAITING_BYTES_MAX) {
                fail(Failures.busy("the merge does not keep up with the writes", 1000));
            }
        }
    }

    /** The source serves nothing any more and has written all that it will. */
    void sourceSealed(long index, VoterConfig voters, List<Entry> written) {
        MergeSource side = other;
        if (step != Step.SEALING || side == null) {
            source.later(() -> source.mergeIsVoid(this));
            return;
        }
        gone =
                Invariants.present(gone, "source").toBuilder()
                        .setPrepareIndex(index)
                        .setPrepareTerm(source.term())
                        .setConfig(voters)
                        .build();
        late = written;
        step = Step.PAUSED;
        led.proposals().pause();
        peer.touch();
    }

    /** Proposes the entry. */
    void submit() {
        MergedTablet ready = merged;
        if (step != Step.PAUSED || ready == null) {
            return;
        }
        PreparedRecord record = ready.prepared();
        ManifestCommit.Builder commit =
                ManifestCommit.newBuilder()
                        .setRecord(record.ref())
                        .setAppliedIndex(record.record().getAppliedIndex())
                        .setAppliedTerm(record.record().getAppliedTerm());
        if (led.machine().record() != null) {
            commit.setParent(led.machine().record());
        }
        CommitMerge entry =
                CommitMerge.newBuilder()
                        .setRecord(commit)
                        .setMerged(record.record().getShape())
                        .setSource(Invariants.present(gone, "source"))
                        .setWrites(MergeSource.batch(late, ready.sourceIndex()))
                        .build();
        try {
            proposedIndex = led.regionLog().append(EntryKind.COMMIT_MERGE, entry.toByteString());
            step = Step.COMMITTING;
        } catch (AppendRefused e) {
            if (e.reason() != AppendRefused.Reason.FULL) {
                fail(Failures.notLeader(peer.id()));
            }
        }
    }

    /** Gives up what takes too long, while that is still possible. */
    void tick() {
        long now = env.nowNanos();
        boolean slow = step.compareTo(Step.FEEDING) <= 0 && now - startedNanos > PREPARE_NANOS_MAX;
        boolean holds =
                (step == Step.SEALING || step == Step.PAUSED)
                        && now - sealedNanos > env.options().splitPauseMax().toNanos();
        if (slow || holds) {
            fail(Failures.busy("the merge takes too long", 1000));
        }
    }

    /** The own entry was applied. */
    void applied(long index) {
        Invariants.check(
                step == Step.COMMITTING && index == proposedIndex,
                "entry %s merges regions, which this leader has not proposed",
                index);
        step = Step.SWAPPING;
        peer.touch();
    }

    private void swap(MergedTablet ready) {
        step = Step.OVER;
        WarmTablet warm = ready.take();
        long pauseNanos = env.nowNanos() - sealedNanos;
        env.metrics().mergePause(pauseNanos);
        log.info(
                "region {} has taken over region {} in {} ms, writes to that were held for {} ms",
                peer.id(),
                source.id(),
                (env.nowNanos() - startedNanos) / 1_000_000,
                pauseNanos / 1_000_000);
        peer.replace(new TabletOpening.Opened(warm.tablet(), warm.machine()));
        source.later(source::takenOver);
    }

    /** The own entry was void. */
    void refused(long index, String reason) {
        if (step == Step.COMMITTING && index == proposedIndex) {
            step = Step.PAUSED;
            fail(Failures.invalid("the merge does not fit the region any more: " + reason));
        }
    }

    /** The source has gone out; an entry that may be in the log stands all the same. */
    void sourceFailed(Throwable error) {
        if (step != Step.COMMITTING && step != Step.SWAPPING) {
            fail(error);
        }
    }

    /** Gives the merge up, or leaves it to the logs when they may have it. */
    void fail(Throwable error) {
        if (isOver()) {
            return;
        }
        boolean undecided = step == Step.COMMITTING || step == Step.SWAPPING;
        boolean feeding = step == Step.FEEDING;
        step = Step.OVER;
        log.info(
                "region {} does not take over region {}: {}",
                peer.id(),
                source.id(),
                error.getMessage());
        led.refuse(order, error);
        waiting = new ArrayList<>();
        MergedTablet left = merged;
        merged = null;
        if (left != null && !feeding) {
            left.close();
        }
        led.proposals().resume();
        led.publication().release();
        peer.touch();
        source.later(
                () -> {
                    if (undecided) {
                        source.mergeIsUndecided(this);
                    } else {
                        source.mergeIsVoid(this);
                    }
                });
    }

    boolean isOver() {
        return step == Step.OVER;
    }
}
