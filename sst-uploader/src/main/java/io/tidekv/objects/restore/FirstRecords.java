package io.tidekv.objects.restore;

import io.tidekv.common.Randomness;
import io.tidekv.objects.manifest.ObjectKeys;
import io.tidekv.objects.manifest.RecordCodec;
import io.tidekv.objects.manifest.RecordRange;
import io.tidekv.objects.store.Checksums;
import io.tidekv.objects.store.ObjectStore;
import io.tidekv.proto.manifest.Lineage;
import io.tidekv.proto.manifest.TabletRecord;
import io.tidekv.proto.region.ObjectRef;
import io.tidekv.proto.region.RegionShape;
import java.util.HashSet;
import java.util.Set;

/** Makes the first records of a new cluster's regions. Belongs to one thread. */
final class FirstRecords {
    /** Far above what may have been given out without a trace in the bucket. */
    private static final long IDS_SPARED = 100_000;

    private final ObjectStore cluster;
    private final Inventory inventory;
    private final StateMaker states;
    private final int apiMode;
    private final Randomness randomness;
    private final Set<Long> taken = new HashSet<>();
    private final long plan;
    private long nextId;

    FirstRecords(
            ObjectStore cluster,
            Inventory inventory,
            StateMaker states,
            int apiMode,
            Randomness randomness) {
        this.cluster = cluster;
        this.inventory = inventory;
        this.states = states;
        this.apiMode = apiMode;
        this.randomness = randomness;
        this.nextId = inventory.newestId() + IDS_SPARED;
        this.plan = randomness.nextLong() | 1;
    }

    /** No id below has to be feared. */
    long nextId() {
        return nextId;
    }

    /** The region that takes a piece over; its record is not stored. */
    TabletRecord of(KeyCover.Piece piece) {
        Candidate from = piece.from();
        // One region may keep its id; what it has left behind is then collected.
        boolean keeps = from != null && taken.add(from.regionId());
        long id = keeps && from != null ? from.regionId() : nextId++;
        long term = inventory.newestTerm(id) + 1;
        RegionShape shape =
                RegionShape.newBuilder()
                        .setRegionId(id)
                        .setStartKey(piece.start())
                        .setEndKey(piece.end())
                        .setVersion(from == null ? 1 : from.version() + 1)
                        .setConfVer(from == null ? 0 : from.record().getShape().getConfVer())
                        .build();
        if (from == null) {
            return nothing(shape, term);
        }
        TabletRecord content = RecordRange.within(from.record(), shape);
        return begun(content, shape, term).toBuilder()
                .addLineage(
                        Lineage.newBuilder()
                                .setRegionId(from.hasRecord() ? from.regionId() : 0)
                                .setIndex(from.record().getAppliedIndex())
                                .setEvent(Candidate.RESTORE)
                                .setPlan(plan))
                .build();
    }

    /** A region that begins without a record would have the whole range. */
    private TabletRecord nothing(RegionShape shape, long term) {
        try (StateMaker.Replay empty = states.beginEmpty(shape, apiMode, term)) {
            return begun(empty.finish(), shape, term).toBuilder()
                    .addLineage(Lineage.newBuilder().setEvent(Candidate.RESTORE).setPlan(plan))
                    .build();
        }
    }

    /** The same data before the first entry of a new log. */
    static TabletRecord begun(TabletRecord content, RegionShape shape, long term) {
        return content.toBuilder()
                .setShape(shape)
                .setTerm(term)
                .setSequence(0)
                .setAppliedIndex(0)
                .setAppliedTerm(0)
                .clearParent()
                .clearPendingChildren()
                .clearUnreportedMerges()
                .build();
    }

    ObjectRef store(TabletRecord record) {
        String name =
                ObjectKeys.record(
                        record.getShape().getRegionId(),
                        record.getTerm(),
                        record.getSequence(),
                        randomness.nextUuid());
        byte[] frame = RecordCodec.encode(record);
        cluster.putIfAbsent(name, frame);
        return ObjectRef.newBuilder()
                .setKey(name)
                .setLength(frame.length)
                .setCrc32C(Checksums.crc32c(frame))
                .build();
    }
}
