package io.tidekv.compute.region;

import com.google.protobuf.ByteString;
import io.tidekv.compute.region.log.AppendRefused;
import io.tidekv.compute.tablet.PublishRequest;
import io.tidekv.proto.region.Entry;
import io.tidekv.proto.region.EntryKind;
import io.tidekv.proto.region.MergedRegion;
import io.tidekv.proto.region.PrepareMerge;
import io.tidekv.proto.region.RegionShape;
import io.tidekv.proto.region.VoterConfig;
import java.util.ArrayList;
import java.util.List;

/**
 * The part of a region that its neighbour takes over: it publishes nothing, remembers what it
 * writes, and is sealed when the neighbour is ready. Belongs to the loop of the region that goes;
 * speaks to the other's {@link MergeJob} by its loop.
 */
final class MergeSource {
    /** What is written while the merge is prepared travels in the target's log. */
    static final long LATE_BYTES_MAX = 8L << 20;

    private enum Step {
        /** A publication that is under way comes first, and what the tablet has not taken yet. */
        WAITING,
        COLLECTING,
        SEALING,
        /** No writes and no reads; the target decides. */
        SEALED,
        OVER
    }

    private final RegionPeer peer;
    private final LedRegion led;
    private final RegionPeer target;
    private final MergeJob job;
    private final RegionShape targetShape;
    private final List<Entry> written = new ArrayList<>();
    private Step step = Step.WAITING;
    private long writtenBytes;
    private long preparedIndex;

    /** The entry is proposed, and nobody knows yet what has become of it. */
    private boolean inFlight;

    private boolean isVoid;

    MergeSource(RegionPeer peer, LedRegion led, RegionPeer target, MergeJob job) {
        this.peer = peer;
        this.led = led;
        this.target = target;
        this.job = job;
        this.targetShape = job.shape();
        led.publication().hold();
    }

    /** Goes on when what it waits for has come. */
    void advance() {
        if (step != Step.WAITING || !led.publication().isIdle() || !led.hasAppliedAll()) {
            return;
        }
        step = Step.COLLECTING;
        MergedTablet.Part part =
                new MergedTablet.Part(
                        led.machine().shape(),
                        led.tablet(),
                        new PublishRequest(led.regionLog().term(), led.machine().record()));
        MergedRegion gone =
                MergedRegion.newBuilder()
                        .setShape(led.machine().shape())
                        .setConfig(led.regionLog().voters())
                        .setTarget(targetShape)
                        .build();
        target.later(() -> job.sourceReady(part, gone));
    }

    /** What the region is about to apply. */
    void committed(List<Entry> entries) {
        if (step != Step.COLLECTING && step != Step.SEALING) {
            return;
        }
        for (Entry entry : entries) {
            if (entry.getKind() == EntryKind.WRITE) {
                written.add(entry);
                writtenBytes += entry.getData().size();
            }
        }
        if (writtenBytes > LATE_BYTES_MAX && step == Step.COLLECTING) {
            fail(Failures.busy("the merge does not keep up with the writes", 1000));
        }
    }

    /** The target has everything but the last writes. */
    void seal() {
        if (step == Step.COLLECTING) {
            step = Step.SEALING;
            led.proposals().pause();
            peer.touch();
        }
    }

    /** Proposes the entry. */
    void submit() {
        if (step != Step.SEALING || preparedIndex != 0) {
            return;
        }
        PrepareMerge prepare =
                PrepareMerge.newBuilder()
                        .setSource(led.machine().shape())
                        .setTarget(targetShape)
                        .setTargetTerm(target.term())
                        .build();
        try {
            preparedIndex = led.regionLog().append(EntryKind.PREPARE_MERGE, prepare.toByteString());
            inFlight = true;
        } catch (AppendRefused e) {
            if (e.reason() != AppendRefused.Reason.FULL) {
                fail(Failures.notLeader(peer.id()));
            }
        }
    }

    /** The region has been sealed: by this entry, unless it is an older leader's. */
    void sealed(long index) {
        if (index != preparedIndex) {
            return;
        }
        inFlight = false;
        if (step == Step.SEALING) {
            step = Step.SEALED;
            List<Entry> late = List.copyOf(written);
            VoterConfig voters = led.regionLog().voters();
            target.later(() -> job.sourceSealed(index, voters, late));
        }
    }

    /** The own entry was void. */
    void refused(long index, String reason) {
        if (index != preparedIndex) {
            return;
        }
        inFlight = false;
        preparedIndex = 0;
        if (isOver()) {
            serveOn();
        } else {
            fail(Failures.invalid("the merge does not fit the region any more: " + reason));
        }
    }

    /** Whether the target still has the decision; it will tell. */
    boolean isDeciding() {
        return step == Step.SEALED;
    }

    /** The target will never commit the merge. */
    void cancel() {
        isVoid = true;
        release();
    }

    /** Whether that is so, and {@code index} the entry by which it was to begin. */
    boolean isVoid(long index) {
        return isVoid && index == preparedIndex;
    }

    /** The target will not commit the merge, or does not know whether it has. */
    void release() {
        if (!isOver()) {
            step = Step.OVER;
            if (preparedIndex == 0) {
                serveOn();
            }
            peer.touch();
        }
    }

    private void serveOn() {
        led.proposals().resume();
        led.publication().release();
    }

    /** Ends the merge from this side; what the log has taken is looked after by the fence. */
    void fail(Throwable error) {
        if (!isOver()) {
            release();
            target.later(() -> job.sourceFailed(error));
        }
    }

    private boolean isOver() {
        return step == Step.OVER;
    }

    boolean isOf(MergeJob other) {
        return job == other;
    }

    /** Whether nothing more will come of it. */
    boolean isDone() {
        return isOver() && !inFlight;
    }

    /** One batch of the entries behind {@code index}; empty when there are none. */
    static ByteString batch(List<Entry> entries, long index) {
        List<ByteString> batches =
                entries.stream().filter(e -> e.getIndex() > index).map(Entry::getData).toList();
        return batches.isEmpty() ? ByteString.EMPTY : BatchBytes.join(batches);
    }
}
