package io.tidekv.compute.region;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Parser;
import io.tidekv.common.InvariantViolation;
import io.tidekv.common.Invariants;
import io.tidekv.compute.tablet.RegionState;
import io.tidekv.proto.region.ChildPublished;
import io.tidekv.proto.region.CommitMerge;
import io.tidekv.proto.region.Entry;
import io.tidekv.proto.region.Flashback;
import io.tidekv.proto.region.ManifestCommit;
import io.tidekv.proto.region.MergeReported;
import io.tidekv.proto.region.MergedRegion;
import io.tidekv.proto.region.ObjectRef;
import io.tidekv.proto.region.PrepareMerge;
import io.tidekv.proto.region.RegionShape;
import io.tidekv.proto.region.RollbackMerge;
import io.tidekv.proto.region.Split;
import io.tidekv.proto.region.SplitChild;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What the log says about the region itself: its shape, its current record and the children that
 * still depend on it. Pure and deterministic: everybody who replays the same entries from the same
 * record comes to the same state, so an entry that does not fit the state is void for all of them.
 */
final class RegionMachine {
    private RegionState state;
    private @Nullable ObjectRef record;
    private @Nullable Fence fence;

    RegionMachine(RegionState state, @Nullable ObjectRef record) {
        this.state = state;
        this.record = record;
    }

    /**
     * Seals the region for a merge, from its entry on until that is rolled back. No record is
     * published meanwhile, so that it is never only in a record.
     */
    record Fence(PrepareMerge prepare, long index) {}

    /** What an entry did. */
    sealed interface Outcome {
        /** Nothing here: a write, an entry of no concern, or one that came too late. */
        record Nothing() implements Outcome {}

        /** The region's record is now another. */
        record Published(ManifestCommit commit) implements Outcome {}

        /** The entry does not fit the state. */
        record Refused(String reason) implements Outcome {}

        /** The region has shrunk; {@code children} have their split index set. */
        record HasSplit(List<SplitChild> children) implements Outcome {}

        /** The region is shut by a flashback, or open again. */
        record Flashbacked(long startTs) implements Outcome {}

        /** A child does not depend on the region any more. */
        record ChildGone(long childRegionId) implements Outcome {}

        /** The region takes no writes: it may be about to become part of its neighbour. */
        record Sealed(Fence by) implements Outcome {}

        /** It will not. */
        record Unsealed() implements Outcome {}

        /** The region has taken its neighbour over, and its record is now another. */
        record Merged(CommitMerge commit) implements Outcome {}

        /** Nobody has to be told of a merge any more. */
        record MergeDone(long sourceRegionId) implements Outcome {}
    }

    private static final Outcome NOTHING = new Outcome.Nothing();

    RegionState state() {
        return state;
    }

    RegionShape shape() {
        return state.shape();
    }

    /** The newest record that the log made current; null before the first. */
    @Nullable ObjectRef record() {
        return record;
    }

    /** Why the region is sealed; null when it is not. */
    @Nullable Fence fence() {
        return fence;
    }

    /** The same as PD's peer and conf_ver make it. */
    RegionMachine inState(RegionState other) {
        RegionMachine copy = new RegionMachine(other, record);
        copy.fence = fence;
        return copy;
    }

    /** Takes the next committed entry. */
    Outcome apply(Entry entry) {
        return switch (entry.getKind()) {
            case MANIFEST_COMMIT -> publish(manifestCommit(entry));
            case SPLIT -> split(parse(entry, Split.parser()), entry.getIndex());
            case CHILD_PUBLISHED -> forget(parse(entry, ChildPublished.parser()));
            case FLASHBACK -> flashback(entry);
            case PREPARE_MERGE -> seal(parse(entry, PrepareMerge.parser()), entry.getIndex());
            case ROLLBACK_MERGE -> unseal(parse(entry, RollbackMerge.parser()));
            case COMMIT_MERGE -> merge(commitMerge(entry));
            case MERGE_REPORTED -> mergeDone(parse(entry, MergeReported.parser()));
            case WRITE, NOOP, CONFIG -> NOTHING;
            case PART, ENTRY_KIND_UNSPECIFIED, UNRECOGNIZED ->
                    throw new InvariantViolation(
                            "entry " + entry.getIndex() + " is of kind " + entry.getKind());
        };
    }

    /** Whether {@code commit} applies on top of {@code current}; null: no record yet. */
    static boolean follows(ManifestCommit commit, @Nullable ObjectRef current) {
        return commit.hasParent() ? commit.getParent().equals(current) : current == null;
    }

    /**
     * The parent's shape after a split at {@code keys}, followed by the children's ranges in key
     * order: the parent keeps the right end.
     */
    static List<RegionShape> divide(RegionShape whole, List<ByteString> keys) {
        long version = whole.getVersion() + keys.size();
        List<RegionShape> shapes = new ArrayList<>();
        ByteString start = whole.getStartKey();
        for (ByteString key : keys) {
            shapes.add(
                    whole.toBuilder()
                            .setStartKey(start)
                            .setEndKey(key)
                            .setVersion(version)
                            .build());
            start = key;
        }
        shapes.add(0, whole.toBuilder().setStartKey(start).setVersion(version).build());
        return shapes;
    }

    private Outcome publish(ManifestCommit commit) {
        if (!follows(commit, record)) {
            return new Outcome.Refused("its parent is not the current record");
        }
        record = commit.getRecord();
        return new Outcome.Published(commit);
    }

    private Outcome split(Split split, long index) {
        if (state.flashbackStartTs() != 0) {
            return new Outcome.Refused("the region is shut by a flashback");
        }
        RegionShape whole = state.shape();
        String misfit = misfit(whole, split);
        if (fence != null || !misfit.isEmpty()) {
            return new Outcome.Refused(fence != null ? "the region is sealed" : misfit);
        }
        List<SplitChild> children =
                split.getChildrenList().stream()
                        .map(child -> child.toBuilder().setSplitIndex(index).build())
                        .toList();
        // Peer and conf_ver are PD's: they differ between owners and are not the log's business.
        RegionShape rest =
                whole.toBuilder()
                        .setStartKey(split.getParent().getStartKey())
                        .setEndKey(split.getParent().getEndKey())
                        .setVersion(split.getParent().getVersion())
                        .build();
        List<SplitChild> pending = new ArrayList<>(state.pendingChildren());
        pending.addAll(children);
        state = state.withShape(rest).withPendingChildren(pending);
        return new Outcome.HasSplit(children);
    }

    /** Why the parts are not exactly the region as it is; empty when they are. */
    private static String misfit(RegionShape whole, Split split) {
        if (split.getChildrenCount() == 0
                || split.getParent().getVersion()
                        != whole.getVersion() + split.getChildrenCount()) {
            return "it was made for another version of the region";
        }
        ByteString start = whole.getStartKey();
        for (SplitChild child : split.getChildrenList()) {
            if (!child.getShape().getStartKey().equals(start)
                    || child.getShape().getEndKey().isEmpty()) {
                return "the children do not tile the region";
            }
            start = child.getShape().getEndKey();
        }
        boolean tiled =
                split.getParent().getStartKey().equals(start)
                        && split.getParent().getEndKey().equals(whole.getEndKey());
        return tiled ? "" : "the children and the rest do not tile the region";
    }

    private Outcome flashback(Entry entry) {
        try {
            long startTs = Flashback.parseFrom(entry.getData()).getStartTs();
            state = state.withFlashback(startTs);
            return new Outcome.Flashbacked(startTs);
        } catch (InvalidProtocolBufferException e) {
            throw unreadable(entry, e);
        }
    }

    private Outcome forget(ChildPublished published) {
        long id = published.getChildRegionId();
        List<SplitChild> left =
                state.pendingChildren().stream()
                        .filter(child -> child.getShape().getRegionId() != id)
                        .toList();
        if (left.size() == state.pendingChildren().size()) {
            return new Outcome.Refused("child " + id + " is not pending");
        }
        state = state.withPendingChildren(left);
        return new Outcome.ChildGone(id);
    }

    private Outcome seal(PrepareMerge prepare, long index) {
        if (fence != null
                || prepare.getSource().getVersion() != state.shape().getVersion()
                || state.flashbackStartTs() != 0
                || !state.pendingChildren().isEmpty()
                || !state.merges().isEmpty()) {
            return new Outcome.Refused("the region has changed, or is changing otherwise");
        }
        Fence by = new Fence(prepare, index);
        fence = by;
        return new Outcome.Sealed(by);
    }

    private Outcome unseal(RollbackMerge rollback) {
        Fence by = fence;
        if (by == null || by.index() != rollback.getPrepareIndex()) {
            return new Outcome.Refused("the region is not sealed by that entry");
        }
        fence = null;
        return new Outcome.Unsealed();
    }

    private Outcome merge(CommitMerge commit) {
        if (commit.getRecord().getRecord().equals(record)) {
            // Whoever opens the record has the state after the merge, but not the last writes.
            state = state.withMerges(List.of(commit.getSource()));
            return new Outcome.Merged(commit);
        }
        if (!follows(commit.getRecord(), record)) {
            return new Outcome.Refused("its parent is not the current record");
        }
        RegionShape whole = state.shape();
        RegionShape merged = commit.getMerged();
        Invariants.check(
                fence == null
                        && merged.getVersion() > whole.getVersion()
                        && state.pendingChildren().isEmpty()
                        && state.merges().isEmpty(),
                "region %s has changed since its merge was prepared",
                whole.getRegionId());
        record = commit.getRecord().getRecord();
        RegionShape shape =
                whole.toBuilder()
                        .setStartKey(merged.getStartKey())
                        .setEndKey(merged.getEndKey())
                        .setVersion(merged.getVersion())
                        .build();
        state = state.withShape(shape).withMerges(List.of(commit.getSource()));
        return new Outcome.Merged(commit);
    }

    private Outcome mergeDone(MergeReported reported) {
        long id = reported.getSourceRegionId();
        List<MergedRegion> left =
                state.merges().stream().filter(m -> m.getShape().getRegionId() != id).toList();
        if (left.size() == state.merges().size()) {
            return new Outcome.Refused("nobody waits to hear of region " + id);
        }
        state = state.withMerges(left);
        return new Outcome.MergeDone(id);
    }

    static ManifestCommit manifestCommit(Entry entry) {
        return parse(entry, ManifestCommit.parser());
    }

    static CommitMerge commitMerge(Entry entry) {
        return parse(entry, CommitMerge.parser());
    }

    private static <T> T parse(Entry entry, Parser<T> parser) {
        try {
            return parser.parseFrom(entry.getData());
        } catch (InvalidProtocolBufferException e) {
            throw unreadable(entry, e);
        }
    }

    private static InvariantViolation unreadable(Entry entry, InvalidProtocolBufferException e) {
        return new InvariantViolation(
                "committed entry "
                        + entry.getIndex()
                        + " ("
                        + entry.getKind()
                        + ") cannot be read: "
                        + e.getMessage());
    }
}
