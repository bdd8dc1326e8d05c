package io.tidekv.compute.region;

import io.tidekv.common.Invariants;
import io.tidekv.compute.compaction.CompactionBoard;
import io.tidekv.compute.region.log.AppendRefused;
import io.tidekv.compute.tablet.AppliedMark;
import io.tidekv.compute.tablet.Compacted;
import io.tidekv.compute.tablet.LentCompaction;
import io.tidekv.compute.tablet.PreparedRecord;
import io.tidekv.compute.tablet.PublishRequest;
import io.tidekv.compute.tablet.Publisher;
import io.tidekv.compute.tablet.Tablet;
import io.tidekv.compute.tablet.manifest.AdoptedFiles;
import io.tidekv.proto.compaction.CompactionDone;
import io.tidekv.proto.compaction.CompactionJob;
import io.tidekv.proto.manifest.SstFile;
import io.tidekv.proto.manifest.TabletRecord;
import io.tidekv.proto.region.Entry;
import io.tidekv.proto.region.EntryKind;
import io.tidekv.proto.region.ManifestCommit;
import io.tidekv.proto.region.ObjectRef;
import io.tidekv.proto.region.RegionShape;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One compaction that a worker does for the region, from the offer to its end. While the worker is
 * at it the region serves, publishes and changes as ever. Its result is adopted by a publication:
 * the next record names the outputs in place of the inputs, a tablet is opened at it beside the one
 * that serves, follows what is written, and takes the other's place when the record is committed.
 * Nothing is held up meanwhile. A result is tried once, and not at all when the region has changed
 * its shape: then, and when no result comes, the tablet compacts by itself. Belongs to the region's
 * loop.
 */
final class Adoption {
    private static final Logger log = LoggerFactory.getLogger(Adoption.class);
    private static final long LAG_BYTES_MAX = 64 << 10;
    private static final long WAITING_BYTES_MAX = 128L << 20;

    private enum Step {
        /** The worker has it. */
        AWAY,
        /** There is a result; what else changes the region comes first. */
        BACK,
        /** Publications that are under way come first. */
        WAITING,
        PREPARING,
        FEEDING,
        /** The new tablet takes each entry with the old one; the record is to be proposed. */
        FOLLOWING,
        COMMITTING,
        /** The record is current; the new tablet still takes what came before that. */
        SWAPPING,
        OVER
    }

    private final RegionEnv env;
    private final RegionPeer peer;
    private final LedRegion led;
    private final LentCompaction lent;
    private final RegionShape shape;
    private final long startedNanos;
    private Step step = Step.AWAY;
    private long jobId;
    private @Nullable CompactionDone result;
    private @Nullable BesideTablet beside;
    private List<Entry> waiting = new ArrayList<>();
    private long waitingBytes;
    private long proposedIndex;

    private Adoption(RegionEnv env, RegionPeer peer, LedRegion led, LentCompaction lent) {
        this.env = env;
        this.peer = peer;
        this.led = led;
        this.lent = lent;
        this.shape = led.machine().shape();
        this.startedNanos = env.nowNanos();
    }

    /** Gives a compaction of the region's tablet to a worker; null when there is none for it. */
    static @Nullable Adoption begin(
            RegionEnv env, RegionPeer peer, LedRegion led, LentCompaction lent) {
        if (!lent.base().ref().equals(led.machine().record())) {
            return null;
        }
        Adoption adoption = new Adoption(env, peer, led, lent);
        CompactionJob job =
                CompactionJob.newBuilder()
                        .setApiMode(env.apiMode())
                        .setRegionId(peer.id())
                        .setTerm(peer.term())
                        .setRecord(lent.base().ref())
                        .setColumnFamily(lent.family())
                        .addAllInputs(lent.inputs())
                        .setOutputLevel(lent.outputLevel())
                        .setTableBytes(lent.tableBytes())
                        .build();
        adoption.jobId = env.compactions().offer(job, adoption.new Answer());
        return adoption.jobId == 0 ? null : adoption;
    }

    /** Comes by any thread. */
    private final class Answer implements CompactionBoard.Listener {
        @Override
        public void onDone(CompactionDone done) {
            peer.later(() -> back(done));
        }

        @Override
        public void onFailed(String reason) {
            peer.later(() -> fail(reason));
        }
    }

    /** The record that was current when the worker began: its uploads are all later. */
    ObjectRef since() {
        return lent.base().ref();
    }

    /** Whether the region is about to get another tablet, so that nothing else may change it. */
    boolean isChanging() {
        return step.compareTo(Step.WAITING) >= 0 && !isOver();
    }

    boolean isOver() {
        return step == Step.OVER;
    }

    private void back(CompactionDone done) {
        if (step == Step.AWAY) {
            result = done;
            step = Step.BACK;
        }
    }

    /**
     * Goes on when what it waits for has come. Called in each round of the region.
     *
     * @param free whether nothing else changes the region
     */
    void advance(boolean free) {
        boolean reshaped = led.machine().shape().getVersion() != shape.getVersion();
        if (reshaped && step.compareTo(Step.WAITING) <= 0) {
            fail("the region has another shape");
        }
        if (step == Step.BACK && free) {
            step = Step.WAITING;
            led.publication().hold();
        }
        if (step == Step.WAITING && led.publication().isIdle() && led.hasAppliedAll()) {
            prepare(Invariants.present(result, "result"));
        }
        BesideTablet ready = beside;
        if (step == Step.SWAPPING && ready != null && ready.drain() && led.hasAppliedAll()) {
            swap(ready);
        }
    }

    private void prepare(CompactionDone done) {
        step = Step.PREPARING;
        AppliedMark applied = led.tablet().applied();
        PublishRequest request = new PublishRequest(led.regionLog().term(), led.machine().record());
        led.work().run(() -> make(led.tablet(), request, applied, done), this::prepared);
    }

    /** Stores the record and opens its tablet. Blocks for a flush and for uploads and fetches. */
    private BesideTablet make(
            Tablet tablet, PublishRequest request, AppliedMark applied, CompactionDone done) {
        Compacted compacted =
                new Compacted(Set.copyOf(done.getRemovedList()), done.getOutputsList());
        Publisher publisher = env.tablets().publisher();
        TabletRecord draft = publisher.draft(tablet, request);
        Invariants.check(
                draft.getShape().getVersion() == shape.getVersion()
                        && draft.getTerm() == peer.term(),
                "region %s has changed while its record was made",
                peer.id());
        TabletRecord record = AdoptedFiles.adopt(draft, lent, compacted);
        // Whoever reads next finds them here, and as they are said to be.
        env.tablets().fetch(done.getOutputsList().stream().map(SstFile::getObject).toList());
        PreparedRecord prepared = new PreparedRecord(publisher.store(record), record);
        return BesideTablet.open(env, prepared, applied);
    }

    private void prepared(@Nullable BesideTablet made, @Nullable Throwable error) {
        if (isOver()) {
            if (made != null) {
                made.close();
            }
        } else if (made == null) {
            env.compactions().metrics().refused();
            giveUp("its result is refused: " + (error == null ? "no tablet" : error.getMessage()));
        } else {
            beside = made;
            step = Step.FEEDING;
            feed(made);
        }
    }

    /** Brings the new tablet up to this region, on the pool until little is left. */
    private void feed(BesideTablet to) {
        to.add(waiting);
        long bytes = waitingBytes;
        waiting = new ArrayList<>();
        waitingBytes = 0;
        if (bytes <= LAG_BYTES_MAX) {
            step = Step.FOLLOWING;
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
                                fail("its tablet does not follow: " + error);
                                to.close();
                            } else {
                                feed(to);
                            }
                        });
    }

    /** What the region is about to apply. */
    void committed(List<Entry> entries) {
        BesideTablet to = beside;
        if (step.compareTo(Step.PREPARING) < 0 || isOver()) {
            return;
        }
        if (to != null && step.compareTo(Step.FOLLOWING) >= 0) {
            to.add(entries);
            to.drain();
            return;
        }
        waiting.addAll(entries);
        entries.forEach(entry -> waitingBytes += entry.getData().size());
        if (waitingBytes > WAITING_BYTES_MAX) {
            fail("the new tablet does not keep up with the writes");
        }
    }

    /** Proposes the record. */
    void submit() {
        BesideTablet ready = beside;
        if (step != Step.FOLLOWING || ready == null) {
            return;
        }
        TabletRecord record = ready.prepared().record();
        ManifestCommit commit =
                ManifestCommit.newBuilder()
                        .setRecord(ready.prepared().ref())
                        .setAppliedIndex(record.getAppliedIndex())
                        .setAppliedTerm(record.getAppliedTerm())
                        .setParent(Invariants.present(led.machine().record(), "record"))
                        .build();
        try {
            proposedIndex =
                    led.regionLog().append(EntryKind.MANIFEST_COMMIT, commit.toByteString());
            step = Step.COMMITTING;
        } catch (AppendRefused e) {
            if (e.reason() != AppendRefused.Reason.FULL) {
                fail("the region is not led any more");
            }
        }
    }

    /** Gives up what takes too long, while that is still possible. */
    void tick() {
        long timeout = env.compactions().options().timeout().toNanos();
        if (step.compareTo(Step.FEEDING) <= 0 && env.nowNanos() - startedNanos > timeout) {
            fail("it takes too long");
        }
    }

    /** Whether it has proposed the entry. */
    boolean isOwn(long index) {
        return proposedIndex != 0 && index == proposedIndex;
    }

    /** The own entry was applied; that may come when the region does not serve any more. */
    void applied() {
        if (step == Step.COMMITTING) {
            step = Step.SWAPPING;
            peer.touch();
        }
    }

    /** An entry was void, which the own one cannot be while nobody else publishes. */
    void refused(long index, String reason) {
        Invariants.check(!isOwn(index), "the own ManifestCommit %s is void: %s", index, reason);
    }

    private void swap(BesideTablet ready) {
        step = Step.OVER;
        long outputs = 0;
        for (SstFile file : Invariants.present(result, "result").getOutputsList()) {
            outputs += file.getSize();
        }
        env.compactions().metrics().adopted(lent.bytes(), outputs);
        log.info(
                "region {} has adopted a compaction of {} to {} bytes, {} ms after it was offered",
                peer.id(),
                lent.bytes(),
                outputs,
                (env.nowNanos() - startedNanos) / 1_000_000);
        WarmTablet warm = ready.take();
        peer.exchange(new TabletOpening.Opened(warm.tablet(), warm.machine()));
    }

    /** No result comes, or the region goes on without it. */
    void fail(String reason) {
        if (!isOver()) {
            env.compactions().metrics().failed();
            giveUp(reason);
        }
    }

    private void giveUp(String reason) {
        boolean held = isChanging();
        boolean feeding = step == Step.FEEDING;
        step = Step.OVER;
        env.compactions().withdraw(jobId);
        log.info("region {} takes a compaction back: {}", peer.id(), reason);
        waiting = new ArrayList<>();
        BesideTablet left = beside;
        beside = null;
        if (left != null && !feeding) {
            left.close();
        }
        led.tablet().takeBack();
        if (held) {
            led.publication().release();
        }
        peer.touch();
    }
}
