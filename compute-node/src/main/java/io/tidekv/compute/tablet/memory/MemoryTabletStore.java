package io.tidekv.compute.tablet.memory;

import com.google.protobuf.ByteString;
import io.tidekv.common.Randomness;
import io.tidekv.common.error.KvError;
import io.tidekv.common.error.KvException;
import io.tidekv.compute.tablet.PreparedRecord;
import io.tidekv.compute.tablet.Publisher;
import io.tidekv.compute.tablet.Tablet;
import io.tidekv.compute.tablet.TabletStore;
import io.tidekv.objects.manifest.RecordCodec;
import io.tidekv.objects.manifest.RecordDamaged;
import io.tidekv.objects.store.ObjectStore;
import io.tidekv.objects.store.ObjectStoreException;
import io.tidekv.proto.manifest.ColumnFamily;
import io.tidekv.proto.manifest.SstFile;
import io.tidekv.proto.manifest.TabletRecord;
import io.tidekv.proto.region.ObjectRef;
import io.tidekv.proto.region.RegionShape;
import org.jspecify.annotations.Nullable;

/** Tablets in memory over a real or simulated object store. Opening one reads all its objects. */
public final class MemoryTabletStore implements TabletStore {
    private static final long OBJECT_BYTES_MAX = 1L << 30;

    private final long clusterId;
    private final ObjectStore objects;
    private final MemoryPublisher publisher;

    public MemoryTabletStore(
            long clusterId, int apiMode, ObjectStore objects, Randomness randomness) {
        this.clusterId = clusterId;
        this.objects = objects;
        this.publisher = new MemoryPublisher(clusterId, apiMode, objects, randomness);
    }

    @Override
    public PreparedRecord load(long regionId, ObjectRef ref) {
        byte[] frame = get(regionId, ref.getKey(), RecordCodec.BYTES_MAX);
        try {
            return new PreparedRecord(
                    ref,
                    RecordCodec.decode(
                            ref.getKey(), frame, new RecordCodec.Expected(clusterId, regionId)));
        } catch (RecordDamaged e) {
            throw unavailable(regionId, ref.getKey(), String.valueOf(e.getMessage()));
        }
    }

    @Override
    public Tablet open(@Nullable PreparedRecord record, RegionShape shape) {
        MemoryTablet tablet = new MemoryTablet(record, shape);
        if (record != null) {
            TabletRecord content = record.record();
            if (!content.getShape().getStartKey().equals(shape.getStartKey())
                    || !content.getShape().getEndKey().equals(shape.getEndKey())) {
                throw unavailable(
                        shape.getRegionId(), record.ref().getKey(), "the record's range differs");
            }
            for (ColumnFamily family : content.getColumnFamiliesList()) {
                for (SstFile file : family.getFilesList()) {
                    byte[] batch =
                            get(shape.getRegionId(), file.getObject().getKey(), OBJECT_BYTES_MAX);
                    tablet.load(ByteString.copyFrom(batch));
                }
            }
        }
        return tablet;
    }

    private byte[] get(long regionId, String object, long bytesMax) {
        try {
            return objects.get(object, bytesMax);
        } catch (ObjectStoreException e) {
            throw unavailable(regionId, object, e.kind() + ": " + e.getMessage());
        }
    }

    private static KvException unavailable(long regionId, String object, String message) {
        return new KvException(
                new KvError.RegionUnavailable(
                        regionId, object, "region " + regionId + ": " + object + ": " + message));
    }

    @Override
    public Publisher publisher() {
        return publisher;
    }

    @Override
    public void close() {}
}
