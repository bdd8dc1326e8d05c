package io.tidekv.objects;

import com.google.protobuf.ByteString;
import io.tidekv.proto.manifest.ColumnFamily;
import io.tidekv.proto.manifest.SstFile;
import io.tidekv.proto.manifest.TabletRecord;
import io.tidekv.proto.region.ObjectRef;
import io.tidekv.proto.region.RegionShape;
import java.nio.charset.StandardCharsets;

/** Records for tests. */
public final class TestRecords {
    private TestRecords() {}

    /** A whole record of cluster 7 with two files on level 0 and two on level 6. */
    public static TabletRecord.Builder record(long regionId) {
        return TabletRecord.newBuilder()
                .setFormatVersion(1)
                .setClusterId(7)
                .setShape(
                        RegionShape.newBuilder()
                                .setRegionId(regionId)
                                .setStartKey(ByteString.copyFromUtf8("a"))
                                .setEndKey(ByteString.copyFromUtf8("z")))
                .setApiMode(1)
                .setTerm(5)
                .setSequence(2)
                .setAppliedIndex(100)
                .setNextFile(50)
                .setLastSequence(1000)
                .addColumnFamilies(
                        ColumnFamily.newBuilder()
                                .setId(0)
                                .setName("default")
                                .setComparator("leveldb.BytewiseComparator")
                                .addFiles(file(0, 10, "b", "m"))
                                .addFiles(file(0, 11, "a", "z"))
                                .addFiles(file(6, 12, "n", "y"))
                                .addFiles(file(6, 13, "a", "m")));
    }

    public static SstFile.Builder file(int level, long number, String smallest, String largest) {
        return SstFile.newBuilder()
                .setLevel(level)
                .setNumber(number)
                .setSize(4096)
                .setSmallest(internal(smallest, 9, 1))
                .setLargest(internal(largest, 3, 1))
                .setSmallestSequence(1)
                .setLargestSequence(9)
                .setObject(
                        ObjectRef.newBuilder()
                                .setKey("sst/1/5-" + number + "-u.sst")
                                .setLength(4096));
    }

    public static ByteString internal(String user, long sequence, int type) {
        ByteString.Output out = ByteString.newOutput();
        byte[] bytes = user.getBytes(StandardCharsets.UTF_8);
        out.write(bytes, 0, bytes.length);
        long packed = (sequence << 8) | type;
        for (int i = 0; i < 8; i++) {
            out.write((int) (packed >>> (8 * i)));
        }
        return out.toByteString();
    }
}
