package io.tidekv.common.codec;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import io.tidekv.common.InvariantViolation;
import io.tidekv.proto.region.Entry;
import io.tidekv.proto.region.EntryKind;
import java.util.List;
import org.junit.jupiter.api.Test;

class EntryAssemblerTest {
    private final EntryAssembler assembler = new EntryAssembler();

    private static Entry entry(long index, long term, EntryKind kind, String data) {
        return Entry.newBuilder()
                .setIndex(index)
                .setTerm(term)
                .setKind(kind)
                .setData(ByteString.copyFromUtf8(data))
                .build();
    }

    @Test
    void partsAndTheEntryBehindThemAreOne() {
        assertThat(assembler.add(entry(4, 2, EntryKind.PART, "one "))).isNull();
        assertThat(assembler.add(entry(5, 2, EntryKind.PART, "large "))).isNull();
        assertThat(assembler.pending()).isEqualTo(2);
        Entry whole = assembler.add(entry(6, 2, EntryKind.WRITE, "write"));
        assertThat(whole)
                .isEqualTo(
                        entry(6, 2, EntryKind.WRITE, "one large write").toBuilder()
                                .setParts(2)
                                .build());
        assertThat(assembler.pending()).isZero();
    }

    @Test
    void smallEntriesPassAsTheyAre() {
        List<Entry> small =
                List.of(entry(1, 1, EntryKind.NOOP, ""), entry(2, 1, EntryKind.WRITE, "x"));
        assertThat(assembler.addAll(small)).isSameAs(small);
    }

    @Test
    void whatAnEntryOfAnotherTermFollowsIsDropped() {
        List<Entry> whole =
                assembler.addAll(
                        List.of(
                                entry(4, 2, EntryKind.PART, "never "),
                                entry(5, 2, EntryKind.PART, "finished "),
                                entry(6, 3, EntryKind.NOOP, ""),
                                entry(7, 3, EntryKind.PART, "a "),
                                entry(8, 3, EntryKind.WRITE, "write")));
        assertThat(whole)
                .containsExactly(
                        entry(6, 3, EntryKind.NOOP, "").toBuilder().setParts(2).build(),
                        entry(8, 3, EntryKind.WRITE, "a write").toBuilder().setParts(1).build());
    }

    @Test
    void partsOfTwoTermsAreNeverJoined() {
        List<Entry> whole =
                assembler.addAll(
                        List.of(
                                entry(4, 2, EntryKind.PART, "old "),
                                entry(5, 3, EntryKind.PART, "new "),
                                entry(6, 3, EntryKind.WRITE, "write")));
        assertThat(whole)
                .containsExactly(
                        entry(6, 3, EntryKind.WRITE, "new write").toBuilder().setParts(2).build());
    }

    @Test
    void aGapWithinAGroupIsNotPassedOver() {
        assembler.add(entry(4, 2, EntryKind.PART, "x"));
        assertThatThrownBy(() -> assembler.add(entry(6, 2, EntryKind.WRITE, "y")))
                .isInstanceOf(InvariantViolation.class);
    }

    @Test
    void beginsAnewWhereItIsTold() {
        assembler.add(entry(4, 2, EntryKind.PART, "x"));
        assembler.clear();
        Entry next = entry(9, 2, EntryKind.WRITE, "y");
        assertThat(assembler.add(next)).isSameAs(next);
    }
}
