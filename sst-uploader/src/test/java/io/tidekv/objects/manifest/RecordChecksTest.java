package io.tidekv.objects.manifest;

import static io.tidekv.objects.TestRecords.file;
import static io.tidekv.objects.TestRecords.internal;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import io.tidekv.objects.TestRecords;
import io.tidekv.proto.manifest.ColumnFamily;
import io.tidekv.proto.manifest.SstFile;
import io.tidekv.proto.manifest.TabletRecord;
import org.junit.jupiter.api.Test;

class RecordChecksTest {
    private static final long LAST_SEQUENCE = (1L << 56) - 1;
    private static final int RANGE_DELETION = 0xF;

    private static TabletRecord with(SstFile.Builder... files) {
        TabletRecord.Builder record = TestRecords.record(3);
        for (SstFile.Builder file : files) {
            record.getColumnFamiliesBuilder(0).addFiles(file);
        }
        return record.build();
    }

    @Test
    void wholeRecordsPass() {
        assertThat(RecordChecks.problem(with())).isNull();
        TabletRecord empty = TestRecords.record(3).clearColumnFamilies().clearNextFile().build();
        assertThat(RecordChecks.problem(empty)).isNull();
    }

    @Test
    void filesOfALevelAreDisjointExceptOnLevelZero() {
        assertThat(RecordChecks.problem(with(file(0, 20, "a", "z")))).isNull();
        assertThat(RecordChecks.problem(with(file(5, 20, "a", "z")))).isNull();
        assertThat(RecordChecks.problem(with(file(6, 20, "b", "c")))).contains("13 and 20 overlap");
        assertThat(RecordChecks.problem(with(file(6, 20, "l", "mm")))).contains("overlap");
        assertThat(RecordChecks.problem(with(file(6, 20, "x", "z")))).contains("12 and 20 overlap");
        assertThat(RecordChecks.problem(with(file(6, 20, "yy", "z")))).isNull();
    }

    @Test
    void filesMayMeetInAUserKeyInTheOrderOfSequences() {
        // The end of a range tombstone at "n" is no entry of "n".
        SstFile.Builder tombstone = file(6, 20, "m0", "n");
        tombstone.setLargest(internal("n", LAST_SEQUENCE, RANGE_DELETION));
        assertThat(RecordChecks.problem(with(tombstone))).isNull();
        SstFile.Builder newer = file(6, 21, "m0", "n").setLargest(internal("n", 10, 1));
        assertThat(RecordChecks.problem(with(newer))).isNull();
        SstFile.Builder older = file(6, 22, "m0", "n").setLargest(internal("n", 8, 1));
        assertThat(RecordChecks.problem(with(older))).contains("overlap");
    }

    @Test
    void numbersAreUniqueOverAllFamiliesAndBelowTheNext() {
        assertThat(RecordChecks.problem(with(file(0, 10, "a", "b")))).contains("number is taken");
        TabletRecord.Builder two = TestRecords.record(3);
        two.addColumnFamilies(
                ColumnFamily.newBuilder().setId(1).setName("lock").addFiles(file(0, 10, "a", "b")));
        assertThat(RecordChecks.problem(two.build())).contains("lock").contains("file 10");
        assertThat(RecordChecks.problem(with(file(0, 50, "a", "b")))).contains("next file");
        assertThat(RecordChecks.problem(with(file(0, 0, "a", "b")))).contains("file 0");
        assertThat(RecordChecks.problem(with(file(0, -1, "a", "b")))).isNotNull();
    }

    @Test
    void familiesAreUnique() {
        TabletRecord.Builder two = TestRecords.record(3);
        two.addColumnFamilies(ColumnFamily.newBuilder().setId(0).setName("lock"));
        assertThat(RecordChecks.problem(two.build())).contains("twice");
        two.getColumnFamiliesBuilder(1).setId(1).setName("default");
        assertThat(RecordChecks.problem(two.build())).contains("twice");
        two.getColumnFamiliesBuilder(1).setName("write").setComparator("rocksdb.Other");
        assertThat(RecordChecks.problem(two.build())).contains("comparator");
    }

    @Test
    void sizesAndBoundsAreSane() {
        assertThat(RecordChecks.problem(with(file(7, 20, "a", "b")))).contains("level 7");
        assertThat(RecordChecks.problem(with(file(-1, 20, "a", "b")))).contains("level");
        assertThat(RecordChecks.problem(with(file(0, 20, "b", "a")))).contains("above");
        assertThat(RecordChecks.problem(with(file(0, 20, "a", "b").setSize(0)))).contains("size");
        assertThat(RecordChecks.problem(with(file(0, 20, "a", "b").setSize(-1)))).contains("size");
        assertThat(RecordChecks.problem(with(file(0, 20, "a", "b").setSize(4095))))
                .contains("its object has 4096");
        assertThat(RecordChecks.problem(with(file(0, 20, "a", "b").clearObject())))
                .contains("no name");
        SstFile.Builder escape = file(0, 20, "a", "b");
        escape.getObjectBuilder().setKey("sst/../../etc/passwd");
        assertThat(RecordChecks.problem(with(escape))).contains("no name");
        SstFile.Builder shortKey = file(0, 20, "a", "b").setSmallest(ByteString.copyFromUtf8("a"));
        assertThat(RecordChecks.problem(with(shortKey))).contains("too short");
        assertThat(RecordChecks.problem(with(file(0, 20, "a", "b").setLargestSequence(1001))))
                .contains("sequence");
        assertThat(RecordChecks.problem(with(file(0, 20, "a", "b").setSmallestSequence(10))))
                .contains("sequence");
    }

    @Test
    void rangesAreNotInverted() {
        TabletRecord.Builder record = TestRecords.record(3);
        record.getShapeBuilder().setEndKey(ByteString.copyFromUtf8("a"));
        assertThat(RecordChecks.problem(record.build())).contains("range");
        record.getShapeBuilder().clearEndKey();
        assertThat(RecordChecks.problem(record.build())).isNull();
        assertThat(RecordChecks.problem(TestRecords.record(3).setApiMode(4).build()))
                .contains("API mode");
    }
}
