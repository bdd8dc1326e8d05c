package io.tidekv.compute.tablet.memory;

import com.google.protobuf.ByteString;
import io.tidekv.common.Randomness;
import io.tidekv.compute.engine.Cf;
import io.tidekv.compute.engine.KvIterator;
import io.tidekv.compute.engine.KvSnapshot;
import io.tidekv.compute.engine.WriteBatchBuilder;
import io.tidekv.compute.tablet.PublishRequest;
import io.tidekv.compute.tablet.Publisher;
import io.tidekv.compute.tablet.Tablet;
import io.tidekv.compute.tablet.manifest.FileSet;
import io.tidekv.objects.manifest.ObjectKeys;
import io.tidekv.objects.manifest.RecordCodec;
import io.tidekv.objects.store.Checksums;
import io.tidekv.objects.store.ObjectStore;
import io.tidekv.proto.manifest.ColumnFamily;
import io.tidekv.proto.manifest.SstFile;
import io.tidekv.proto.manifest.TabletRecord;
import io.tidekv.proto.region.ObjectRef;

/** Publishes tablets in memory: each time the whole content, one object per column family. */
final class MemoryPublisher implements Publisher {
    /** In place of RocksDB's sequence number and type. */
    private static final ByteString INTERNAL_SUFFIX = ByteString.copyFrom(new byte[8]);

    private final long clusterId;
    private final int apiMode;
    private final ObjectStore objects;
    private final Randomness randomness;

    MemoryPublisher(long clusterId, int apiMode, ObjectStore objects, Randomness randomness) {
        this.clusterId = clusterId;
        this.apiMode = apiMode;
        this.objects = objects;
        this.randomness = randomness;
    }

    @Override
    public TabletRecord draft(Tablet tablet, PublishRequest request) {
        MemoryTablet.Cut cut = ((MemoryTablet) tablet).cut();
        TabletRecord.Builder record =
                cut.base() == null
                        ? TabletRecord.newBuilder().setNextFile(1)
                        : cut.base().record().toBuilder();
        record.clearParent().clearPendingChildren().clearUnreportedMerges().clearColumnFamilies();
        record.setFormatVersion(RecordCodec.FORMAT_VERSION)
                .setClusterId(clusterId)
                .setApiMode(apiMode)
                .setShape(cut.state().shape())
                .addAllPendingChildren(cut.state().pendingChildren())
                .setFlashbackStartTs(cut.state().flashbackStartTs())
                .addAllUnreportedMerges(cut.state().merges())
                .setTerm(request.term())
                .setSequence(cut.sequence())
                .setAppliedIndex(cut.applied().index())
                .setAppliedTerm(cut.applied().term())
                .clearMaxCommitTs();
        ((MemoryTablet) tablet).newestCommit().tell(record);
        if (request.parent() != null) {
            record.setParent(request.parent());
        }
        try (KvSnapshot content = cut.content()) {
            for (Cf cf : Cf.values()) {
                record.addColumnFamilies(family(record, content, cf));
            }
        }
        return record.build();
    }

    private ColumnFamily family(TabletRecord.Builder record, KvSnapshot content, Cf cf) {
        ColumnFamily.Builder family =
                ColumnFamily.newBuilder()
                        .setId(cf.id())
                        .setName(cf.label())
                        .setComparator(FileSet.COMPARATOR);
        WriteBatchBuilder batch = new WriteBatchBuilder();
        SstFile.Builder file = SstFile.newBuilder();
        try (KvIterator rows = content.iterator(cf, null, null)) {
            for (rows.seekToFirst(); rows.isValid(); rows.next()) {
                ByteString key = ByteString.copyFrom(rows.key()).concat(INTERNAL_SUFFIX);
                if (batch.isEmpty()) {
                    file.setSmallest(key);
                }
                file.setLargest(key);
                batch.put(cf, rows.key(), rows.value());
            }
        }
        if (!batch.isEmpty()) {
            long number = record.getNextFile();
            record.setNextFile(number + 1);
            file.setEntries(batch.count());
            byte[] bytes = batch.build().toByteArray();
            String name =
                    ObjectKeys.sst(
                            record.getShape().getRegionId(),
                            record.getTerm(),
                            number,
                            randomness.nextUuid());
            family.addFiles(
                    file.setNumber(number).setSize(bytes.length).setObject(put(name, bytes)));
        }
        return family.build();
    }

    @Override
    public TabletRecord cut(TabletRecord draft, ByteString at, boolean below, TabletRecord writer) {
        // Each draft has been written anew, of the keys in range only.
        return draft;
    }

    @Override
    public ObjectRef store(TabletRecord record) {
        String name =
                ObjectKeys.record(
                        record.getShape().getRegionId(),
                        record.getTerm(),
                        record.getSequence(),
                        randomness.nextUuid());
        return put(name, RecordCodec.encode(record));
    }

    private ObjectRef put(String name, byte[] bytes) {
        objects.putIfAbsent(name, bytes);
        return ObjectRef.newBuilder()
                .setKey(name)
                .setLength(bytes.length)
                .setCrc32C(Checksums.crc32c(bytes))
                .build();
    }
}
