package io.tidekv.wal.archive;

import io.tidekv.common.Invariants;
import io.tidekv.objects.archive.ArchiveCodec;
import io.tidekv.objects.archive.ArchiveException;
import io.tidekv.objects.archive.ArchiveNames;
import io.tidekv.objects.archive.ArchivePart;
import io.tidekv.objects.archive.ArchivePruner;
import io.tidekv.objects.archive.PartBuilder;
import io.tidekv.objects.store.ObjectStore;
import io.tidekv.objects.store.ObjectStore.ObjectInfo;
import io.tidekv.objects.store.ObjectStoreException;
import io.tidekv.objects.store.ObjectStoreException.Kind;
import io.tidekv.proto.wal.VoterMeta;
import io.tidekv.wal.core.Committed;
import io.tidekv.wal.storage.NodeIdentity;
import io.tidekv.wal.storage.SealedSegment;
import io.tidekv.wal.storage.SegmentReader;
import io.tidekv.wal.storage.WalFiles;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Turns segments into parts and stores them. May fail or be cut off at any point and be called
 * again: what is in the store already is left out. Belongs to one thread.
 */
final class SegmentShipper {
    private static final Logger log = LoggerFactory.getLogger(SegmentShipper.class);
    private static final int PAGE = 1000;

    private final WalFiles files;
    private final NodeIdentity identity;
    private final ObjectStore cluster;
    private final long partBytes;
    private final KnownCommits commits;
    // Of segments of which something is in the store: where the first byte begins that is not.
    private final Map<Long, Long> reached = new HashMap<>();
    private boolean listed;
    private long bytesShipped;

    /**
     * {@code files} is for this object alone.
     *
     * @param cluster the cluster's part of the store
     * @param partBytes a part ends with the batch that reaches this
     */
    SegmentShipper(
            WalFiles files,
            NodeIdentity identity,
            ObjectStore cluster,
            long partBytes,
            KnownCommits commits) {
        this.files = files;
        this.identity = identity;
        this.cluster = cluster;
        this.partBytes = partBytes;
        this.commits = commits;
    }

    /** Bytes stored so far. */
    long bytesShipped() {
        return bytesShipped;
    }

    /**
     * The segment is in the store, whole, when this returns; false when it was there before.
     *
     * @throws IOException the segment cannot be read
     * @throws ObjectStoreException the store does not take it now
     */
    boolean ship(SealedSegment segment) throws IOException {
        if (!listed) {
            list(segment.number());
        }
        if (isComplete(segment)) {
            return false;
        }
        Cutter cutter = new Cutter(segment);
        SegmentReader.read(files, identity.uuid(), segment, cutter);
        cutter.end();
        Invariants.check(isComplete(segment), "segment %s was cut short", segment.number());
        return true;
    }

    /**
     * Deletes what was stored longer than {@code retentionMillis} before a segment that has been
     * shipped, by the object store's clock. Returns the number of objects.
     */
    int prune(SealedSegment newest, long retentionMillis) {
        String after = ArchiveNames.before(identity.uuid(), newest.number());
        List<ObjectInfo> own = cluster.list(ArchiveNames.node(identity.uuid()), after, 1);
        if (own.isEmpty()) {
            return 0;
        }
        long cutoff = own.get(0).modifiedMillis() - retentionMillis;
        return ArchivePruner.prune(cluster, identity.uuid(), cutoff, false).size();
    }

    /** What is remembered of segments before this one is not needed any more. */
    void forgetBefore(long segment) {
        reached.keySet().removeIf(number -> number < segment);
    }

    private boolean isComplete(SealedSegment segment) {
        return reachedOf(segment.number()) >= segment.length();
    }

    private long reachedOf(long segment) {
        return reached.getOrDefault(segment, ArchivePart.SEGMENT_START);
    }

    /** Finds out what of this segment and its successors an earlier process has stored. */
    private void list(long oldest) {
        String after = ArchiveNames.before(identity.uuid(), oldest);
        List<ObjectInfo> page;
        do {
            page = cluster.list(ArchiveNames.node(identity.uuid()), after, PAGE);
            for (ObjectInfo object : page) {
                after = object.name();
                ArchiveNames.Place place = ArchiveNames.parse(after);
                if (place != null && place.from() == reachedOf(place.segment())) {
                    reached.put(place.segment(), place.to());
                }
            }
        } while (page.size() == PAGE);
        listed = true;
    }

    private void store(ArchiveNames.Place place, byte[] bytes) {
        String name = place.name();
        try {
            cluster.putIfAbsent(name, bytes);
        } catch (ObjectStoreException e) {
            if (e.kind() != Kind.ALREADY_EXISTS) {
                throw e;
            }
            settle(name, bytes);
        }
        reached.put(place.segment(), place.to());
        bytesShipped += bytes.length;
    }

    /** An attempt before this one knew less of what is committed; all else in it is the same. */
    private void settle(String name, byte[] bytes) {
        ObjectInfo there = cluster.head(name);
        try {
            if (there != null) {
                ArchiveCodec.read(cluster, there);
                return;
            }
        } catch (ArchiveException e) {
            log.error("{} is damaged and is stored anew", name, e);
            cluster.delete(name);
        }
        cluster.putIfAbsent(name, bytes);
    }

    /** Cuts a segment into parts while it is read. */
    private final class Cutter implements SegmentReader.Visitor {
        private final SealedSegment segment;
        private PartBuilder part;
        private final Set<Long> regions = new LinkedHashSet<>();
        private long from;
        private long end;
        private boolean skipping;

        Cutter(SealedSegment segment) {
            this.segment = segment;
            from = reachedOf(segment.number());
            end = from;
            part = fresh();
        }

        private PartBuilder fresh() {
            regions.clear();
            return new PartBuilder(
                    identity.uuid(),
                    identity.walId(),
                    identity.clusterId(),
                    segment.number(),
                    segment.length());
        }

        @Override
        public void batch(long batchFrom, long batchEnd, long wallMillis) {
            skipping = batchFrom < from;
            if (!skipping) {
                if (part.bytes() >= partBytes) {
                    commits.addKnown(part, regions);
                    cut();
                }
                end = batchEnd;
                part.time(wallMillis);
            }
        }

        @Override
        public void meta(long regionId, VoterMeta meta, boolean reset) {
            if (!skipping) {
                regions.add(regionId);
                part.meta(regionId, meta, reset);
            }
        }

        @Override
        public void entry(
                long regionId, long index, long term, int kind, boolean moved, ByteBuffer data) {
            if (!skipping) {
                regions.add(regionId);
                part.entry(regionId, index, term, kind, moved, data);
            }
        }

        /** The last part brings the news of regions that have nothing in the segment, too. */
        void end() {
            if (from < segment.length()) {
                commits.addKnown(part, regions);
                List<Committed> news = commits.addNews(part);
                cut();
                commits.told(news);
            }
        }

        private void cut() {
            ArchiveNames.Place place =
                    new ArchiveNames.Place(identity.uuid(), segment.number(), from, end);
            store(place, part.build(from, end));
            from = end;
            part = fresh();
        }
    }
}
