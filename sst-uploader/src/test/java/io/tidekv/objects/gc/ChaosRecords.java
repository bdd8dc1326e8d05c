package io.tidekv.objects.gc;

import com.google.protobuf.ByteString;
import io.tidekv.objects.TestRecords;
import io.tidekv.objects.gc.ChaosRegion.LocalFile;
import io.tidekv.objects.store.Checksums;
import io.tidekv.proto.manifest.ColumnFamily;
import io.tidekv.proto.manifest.SstFile;
import io.tidekv.proto.manifest.TabletRecord;
import io.tidekv.proto.region.ObjectRef;
import io.tidekv.proto.region.RegionShape;

/** Records of a {@link ChaosCluster}. */
final class ChaosRecords {
    private ChaosRecords() {}

    static TabletRecord.Builder shape(TabletRecord.Builder record, long id, int start, int end) {
        return record.setFormatVersion(1)
                .setClusterId(ChaosCluster.CLUSTER)
                .setApiMode(1)
                .setLastSequence(1000)
                .setShape(
                        RegionShape.newBuilder()
                                .setRegionId(id)
                                .setStartKey(key(start))
                                .setEndKey(key(end)));
    }

    static ByteString key(int at) {
        return ByteString.copyFromUtf8("k" + (100 + at));
    }

    static TabletRecord files(TabletRecord.Builder record, ChaosLeader leader, int start, int end) {
        ColumnFamily.Builder family =
                ColumnFamily.newBuilder()
                        .setName("default")
                        .setComparator("leveldb.BytewiseComparator");
        for (LocalFile file : leader.files.values()) {
            if (file.to() >= start && file.from() < end && file.object() != null) {
                SstFile.Builder sst =
                        TestRecords.file(
                                0,
                                file.number(),
                                key(file.from()).toStringUtf8(),
                                key(file.to()).toStringUtf8());
                family.addFiles(sst.setSize(file.object().getLength()).setObject(file.object()));
            }
        }
        return record.addColumnFamilies(family).build();
    }

    static void take(ChaosLeader leader, TabletRecord record) {
        for (SstFile file : record.getColumnFamilies(0).getFilesList()) {
            leader.files.put(
                    file.getNumber(),
                    new LocalFile(
                            file.getNumber(),
                            at(file.getSmallest()),
                            at(file.getLargest()),
                            file.getObject()));
            leader.nextFile = Math.max(leader.nextFile, file.getNumber() + 1);
        }
        leader.lineage = record.getLineageList();
    }

    static int at(ByteString internal) {
        String user = internal.substring(0, internal.size() - 8).toStringUtf8();
        return Integer.parseInt(user.substring(1)) - 100;
    }

    static ObjectRef ref(String name, byte[] bytes) {
        return ObjectRef.newBuilder()
                .setKey(name)
                .setLength(bytes.length)
                .setCrc32C(Checksums.crc32c(bytes))
                .build();
    }
}
