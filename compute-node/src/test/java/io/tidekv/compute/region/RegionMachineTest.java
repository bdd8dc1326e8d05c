package io.tidekv.compute.region;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import com.google.protobuf.MessageLite;
import io.tidekv.common.InvariantViolation;
import io.tidekv.compute.region.RegionMachine.Outcome;
import io.tidekv.compute.tablet.RegionState;
import io.tidekv.proto.region.ChildPublished;
import io.tidekv.proto.region.Entry;
import io.tidekv.proto.region.EntryKind;
import io.tidekv.proto.region.Flashback;
import io.tidekv.proto.region.ManifestCommit;
import io.tidekv.proto.region.ObjectRef;
import io.tidekv.proto.region.RegionShape;
import io.tidekv.proto.region.Snapshot;
import io.tidekv.proto.region.Split;
import io.tidekv.proto.region.SplitChild;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class RegionMachineTest {
    private static final RegionShape WHOLE =
            RegionShape.newBuilder()
                    .setRegionId(7)
                    .setStartKey(key("a"))
                    .setEndKey(key("z"))
                    .setVersion(3)
                    .setConfVer(9)
                    .setPeerId(70)
                    .build();

    private final RegionMachine machine = new RegionMachine(RegionState.fresh(WHOLE), ref("r1"));

    @Test
    void aRecordIsTakenOnTopOfTheCurrentOneOnly() {
        assertThat(machine.apply(commit(5, "r2", "r1"))).isInstanceOf(Outcome.Published.class);
        assertThat(machine.record()).isEqualTo(ref("r2"));
        assertThat(machine.apply(commit(6, "r3", "r1"))).isInstanceOf(Outcome.Refused.class);
        assertThat(machine.apply(commit(7, "r2", "r1"))).isInstanceOf(Outcome.Refused.class);
        assertThat(machine.apply(commit(8, "r4", null))).isInstanceOf(Outcome.Refused.class);
        assertThat(machine.record()).isEqualTo(ref("r2"));
    }

    @Test
    void theFirstRecordHasNoParent() {
        RegionMachine empty = new RegionMachine(RegionState.fresh(WHOLE), null);
        assertThat(empty.apply(commit(5, "r2", "r1"))).isInstanceOf(Outcome.Refused.class);
        assertThat(empty.apply(commit(6, "r1", null))).isInstanceOf(Outcome.Published.class);
    }

    @Test
    void aSplitLeavesTheRightEndAndRemembersItsChildren() {
        Outcome outcome = machine.apply(split(11, WHOLE, "g", "m"));
        assertThat(outcome).isInstanceOf(Outcome.HasSplit.class);
        RegionShape rest = machine.shape();
        assertThat(rest.getStartKey()).isEqualTo(key("m"));
        assertThat(rest.getEndKey()).isEqualTo(key("z"));
        assertThat(rest.getVersion()).isEqualTo(5);
        assertThat(rest.getPeerId()).isEqualTo(70);
        assertThat(rest.getConfVer()).isEqualTo(9);
        assertThat(machine.state().pendingChildren())
                .extracting(child -> child.getShape().getStartKey().toStringUtf8())
                .containsExactly("a", "g");
        assertThat(machine.state().pendingChildren())
                .allMatch(child -> child.getSplitIndex() == 11)
                .allMatch(child -> child.getShape().getVersion() == 5);
    }

    @Test
    void aRegionShutByAFlashbackDoesNotSplit() {
        Flashback shut = Flashback.newBuilder().setStartTs(50).build();
        machine.apply(entry(10, EntryKind.FLASHBACK, shut));
        assertThat(machine.apply(split(11, WHOLE, "g"))).isInstanceOf(Outcome.Refused.class);
        assertThat(machine.state().flashbackStartTs()).isEqualTo(50);
        machine.apply(entry(12, EntryKind.FLASHBACK, Flashback.getDefaultInstance()));
        assertThat(machine.apply(split(13, WHOLE, "g"))).isInstanceOf(Outcome.HasSplit.class);
    }

    @Test
    void aRepeatedSplitIsVoid() {
        Entry entry = split(11, WHOLE, "g");
        machine.apply(entry);
        RegionState once = machine.state();
        assertThat(machine.apply(entry)).isInstanceOf(Outcome.Refused.class);
        assertThat(machine.state()).isEqualTo(once);
    }

    @Test
    void aSplitThatDoesNotTileTheRegionIsVoid() {
        Split good = parse(split(11, WHOLE, "g", "m"));
        Split gap = good.toBuilder().removeChildren(0).build();
        Split shifted =
                good.toBuilder()
                        .setParent(good.getParent().toBuilder().setStartKey(key("n")))
                        .build();
        Split open = good.toBuilder().setParent(good.getParent().toBuilder().clearEndKey()).build();
        for (Split bad : List.of(gap, shifted, open, Split.getDefaultInstance())) {
            assertThat(machine.apply(entry(12, EntryKind.SPLIT, bad)))
                    .isInstanceOf(Outcome.Refused.class);
        }
        assertThat(machine.shape()).isEqualTo(WHOLE);
    }

    @Test
    void aPublishedChildIsForgottenOnce() {
        machine.apply(split(11, WHOLE, "g", "m"));
        Entry gone =
                entry(
                        12,
                        EntryKind.CHILD_PUBLISHED,
                        ChildPublished.newBuilder().setChildRegionId(101).build());
        assertThat(machine.apply(gone)).isEqualTo(new Outcome.ChildGone(101));
        assertThat(machine.state().pendingChildren()).hasSize(1);
        assertThat(machine.apply(gone)).isInstanceOf(Outcome.Refused.class);
    }

    @Test
    void whatCannotBeReadIsNotSkipped() {
        Entry garbage =
                Entry.newBuilder()
                        .setIndex(4)
                        .setKind(EntryKind.SPLIT)
                        .setData(ByteString.copyFromUtf8("\u0007garbage"))
                        .build();
        assertThatThrownBy(() -> machine.apply(garbage)).isInstanceOf(InvariantViolation.class);
    }

    @Test
    void theTailEndsAtTheNewestValidRecordAndKeepsWhatFollowsIt() {
        LogTail tail =
                new LogTail(
                        Snapshot.newBuilder().setIndex(10).setTerm(2).setRecord(ref("r1")).build());
        List<Entry> log = new ArrayList<>();
        log.add(write(11));
        log.add(write(12));
        log.add(commit(13, "r2", "r1", 12));
        log.add(write(14));
        log.add(commit(15, "lost", "r1", 14));
        log.add(commit(16, "r3", "r2", 13));
        log.add(write(17));
        // In two parts, as they come from a voter.
        tail.add(log.subList(0, 3));
        tail.add(log.subList(3, log.size()));
        assertThat(tail.record()).isEqualTo(ref("r3"));
        assertThat(tail.coveredIndex()).isEqualTo(13);
        assertThat(tail.lastIndex()).isEqualTo(17);
        assertThat(tail.entries()).extracting(Entry::getIndex).containsExactly(14L, 15L, 16L, 17L);
    }

    @Test
    void replayFromTheRecordThatTheWalkFoundPublishesNothing() {
        RegionMachine replay = new RegionMachine(RegionState.fresh(WHOLE), ref("r3"));
        for (Entry entry :
                List.of(write(14), commit(15, "lost", "r1", 14), commit(16, "r3", "r2", 13))) {
            assertThat(replay.apply(entry)).isNotInstanceOf(Outcome.Published.class);
        }
        assertThat(replay.record()).isEqualTo(ref("r3"));
    }

    private static Entry split(long index, RegionShape whole, String... at) {
        List<ByteString> keys = new ArrayList<>();
        for (String key : at) {
            keys.add(key(key));
        }
        List<RegionShape> shapes = RegionMachine.divide(whole, keys);
        Split.Builder split = Split.newBuilder().setParent(shapes.get(0));
        for (int i = 1; i < shapes.size(); i++) {
            RegionShape child = shapes.get(i).toBuilder().setRegionId(99 + i + 1).build();
            split.addChildren(SplitChild.newBuilder().setShape(child).setFirstRecord(ref("c" + i)));
        }
        // Another owner's picture of peer and conf_ver must not matter.
        split.getParentBuilder().setPeerId(1).setConfVer(1);
        return entry(index, EntryKind.SPLIT, split.build());
    }

    private static Split parse(Entry entry) {
        try {
            return Split.parseFrom(entry.getData());
        } catch (com.google.protobuf.InvalidProtocolBufferException e) {
            throw new AssertionError(e);
        }
    }

    private static Entry commit(long index, String record, String parent) {
        return commit(index, record, parent, index - 1);
    }

    private static Entry commit(long index, String record, String parent, long applied) {
        ManifestCommit.Builder commit =
                ManifestCommit.newBuilder()
                        .setRecord(ref(record))
                        .setAppliedIndex(applied)
                        .setAppliedTerm(2);
        if (parent != null) {
            commit.setParent(ref(parent));
        }
        return entry(index, EntryKind.MANIFEST_COMMIT, commit.build());
    }

    private static Entry write(long index) {
        return Entry.newBuilder().setIndex(index).setTerm(2).setKind(EntryKind.WRITE).build();
    }

    private static Entry entry(long index, EntryKind kind, MessageLite data) {
        return Entry.newBuilder()
                .setIndex(index)
                .setTerm(2)
                .setKind(kind)
                .setData(data.toByteString())
                .build();
    }

    private static ObjectRef ref(String key) {
        return ObjectRef.newBuilder().setKey(key).build();
    }

    private static ByteString key(String text) {
        return ByteString.copyFromUtf8(text);
    }
}
