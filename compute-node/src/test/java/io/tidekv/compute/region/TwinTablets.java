package io.tidekv.compute.region;

import com.google.protobuf.ByteString;
import io.tidekv.common.error.KvError;
import io.tidekv.common.error.KvException;
import io.tidekv.compute.engine.Cf;
import io.tidekv.compute.engine.KvIterator;
import io.tidekv.compute.engine.KvSnapshot;
import io.tidekv.compute.engine.MemoryEngine;
import io.tidekv.compute.tablet.AppliedMark;
import io.tidekv.compute.tablet.PreparedRecord;
import io.tidekv.compute.tablet.PublishRequest;
import io.tidekv.compute.tablet.Publisher;
import io.tidekv.compute.tablet.RegionState;
import io.tidekv.compute.tablet.Tablet;
import io.tidekv.compute.tablet.TabletStore;
import io.tidekv.objects.store.ObjectStoreException;
import io.tidekv.proto.manifest.ColumnFamily;
import io.tidekv.proto.manifest.SstFile;
import io.tidekv.proto.manifest.TabletRecord;
import io.tidekv.proto.region.Entry;
import io.tidekv.proto.region.EntryKind;
import io.tidekv.proto.region.ObjectRef;
import io.tidekv.proto.region.RegionShape;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * Tablets in memory over a bucket in memory: a "file" is the list of batches that its tablet had
 * applied. Checks what the driver owes a tablet: entries in order, one writer, no use after close.
 */
final class TwinTablets implements TabletStore {
    /** What all stores of a test share. */
    static final class Bucket {
        final Map<String, List<ByteString>> files = new ConcurrentHashMap<>();
        final Map<String, TabletRecord> records = new ConcurrentHashMap<>();
        final AtomicLong names = new AtomicLong();
        volatile boolean down;

        void check(String what) {
            if (down) {
                throw new ObjectStoreException(
                        ObjectStoreException.Kind.UNAVAILABLE, what, what + ": is down", null);
            }
        }
    }

    private final Bucket bucket;
    final AtomicLong open = new AtomicLong();

    TwinTablets(Bucket bucket) {
        this.bucket = bucket;
    }

    @Override
    public PreparedRecord load(long regionId, ObjectRef ref) {
        TabletRecord record = bucket.records.get(ref.getKey());
        if (record == null || bucket.down) {
            throw new KvException(
                    new KvError.RegionUnavailable(
                            regionId, ref.getKey(), ref.getKey() + ": not there"));
        }
        return new PreparedRecord(ref, record);
    }

    @Override
    public Tablet open(@Nullable PreparedRecord record, RegionShape shape) {
        open.incrementAndGet();
        return new TwinTablet(record, shape);
    }

    @Override
    public Publisher publisher() {
        return new TwinPublisher();
    }

    @Override
    public void close() {}

    private final class TwinPublisher implements Publisher {
        @Override
        public TabletRecord draft(Tablet tablet, PublishRequest request) {
            return ((TwinTablet) tablet).draft(request);
        }

        @Override
        public ObjectRef store(TabletRecord record) {
            bucket.check("record");
            String key = "record/" + bucket.names.incrementAndGet();
            bucket.records.put(key, record);
            return ObjectRef.newBuilder().setKey(key).setLength(1).build();
        }
    }

    private final class TwinTablet implements Tablet {
        private final MemoryEngine engine = new MemoryEngine();
        private final List<ByteString> batches = new ArrayList<>();
        private RegionState state;
        private AppliedMark applied = AppliedMark.NONE;
        private @Nullable PreparedRecord base;
        private long bytes;
        private long publishedBytes;
        private long draftedBytes;
        private boolean closed;

        TwinTablet(@Nullable PreparedRecord record, RegionShape shape) {
            base = record;
            state = new RegionState(shape, List.of());
            if (record != null) {
                TabletRecord stored = record.record();
                state = new RegionState(shape, stored.getPendingChildrenList());
                applied = new AppliedMark(stored.getAppliedIndex(), stored.getAppliedTerm());
                for (SstFile file : stored.getColumnFamilies(0).getFilesList()) {
                    for (ByteString batch : bucket.files.get(file.getObject().getKey())) {
                        take(batch);
                    }
                }
                publishedBytes = bytes;
            }
        }

        private void take(ByteString batch) {
            engine.apply(batch);
            batches.add(batch);
            bytes += batch.size();
        }

        @Override
        public synchronized RegionState state() {
            return state;
        }

        @Override
        public synchronized AppliedMark applied() {
            return applied;
        }

        @Override
        public synchronized void apply(List<Entry> entries) {
            for (Entry entry : entries) {
                advance(new AppliedMark(entry.getIndex(), entry.getTerm()));
                if (entry.getKind() == EntryKind.WRITE) {
                    take(entry.getData());
                }
            }
        }

        @Override
        public synchronized void applyState(AppliedMark mark, RegionState after) {
            advance(mark);
            state = after;
        }

        private void advance(AppliedMark mark) {
            check();
            if (mark.index() != applied.index() + 1 || mark.term() < applied.term()) {
                throw new IllegalStateException(mark + " does not follow " + applied);
            }
            applied = mark;
        }

        private void check() {
            if (closed) {
                throw new IllegalStateException("the tablet is closed");
            }
        }

        @Override
        public synchronized KvSnapshot snapshot(RegionShape shape) {
            check();
            return engine.snapshot(
                    shape.getStartKey().toByteArray(), shape.getEndKey().toByteArray());
        }

        synchronized TabletRecord draft(PublishRequest request) {
            check();
            bucket.check("sst");
            String key = "sst/" + bucket.names.incrementAndGet();
            bucket.files.put(key, List.copyOf(batches));
            draftedBytes = bytes;
            ByteString low = ByteString.copyFrom(new byte[8]);
            byte[] last = new byte[40];
            java.util.Arrays.fill(last, (byte) 0xFF);
            SstFile file =
                    SstFile.newBuilder()
                            .setNumber(1)
                            .setSmallest(low)
                            .setLargest(ByteString.copyFrom(last))
                            .setObject(ObjectRef.newBuilder().setKey(key))
                            .build();
            TabletRecord.Builder record =
                    TabletRecord.newBuilder()
                            .setShape(state.shape())
                            .addAllPendingChildren(state.pendingChildren())
                            .setTerm(request.term())
                            .setAppliedIndex(applied.index())
                            .setAppliedTerm(applied.term())
                            .addColumnFamilies(ColumnFamily.newBuilder().addFiles(file));
            if (request.parent() != null) {
                record.setParent(request.parent());
            }
            return record.build();
        }

        @Override
        public long memtableBytes() {
            return unpublishedBytes();
        }

        @Override
        public synchronized long unpublishedBytes() {
            return bytes - publishedBytes;
        }

        @Override
        public long approximateBytes(byte[] from, byte[] to) {
            long total = 0;
            try (KvSnapshot snapshot = snapshotOf(from, to);
                    KvIterator walk = snapshot.iterator(Cf.DEFAULT, null, null)) {
                for (walk.seekToFirst(); walk.isValid(); walk.next()) {
                    total += walk.key().length + walk.value().length;
                }
            }
            return total;
        }

        private synchronized KvSnapshot snapshotOf(byte[] from, byte[] to) {
            check();
            return engine.snapshot(from, to);
        }

        @Override
        public long approximateKeys() {
            return 0;
        }

        @Override
        public boolean hydrated() {
            return true;
        }

        @Override
        public synchronized void published(PreparedRecord record) {
            base = record;
            publishedBytes = draftedBytes;
        }

        @Override
        public synchronized @Nullable PreparedRecord base() {
            return base;
        }

        @Override
        public synchronized void close() {
            if (!closed) {
                closed = true;
                open.decrementAndGet();
            }
        }
    }
}
