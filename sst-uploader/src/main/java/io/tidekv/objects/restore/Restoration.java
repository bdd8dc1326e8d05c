package io.tidekv.objects.restore;

import com.google.protobuf.ByteString;
import io.tidekv.common.Randomness;
import io.tidekv.objects.archive.ArchiveReader;
import io.tidekv.objects.backup.BackupSet;
import io.tidekv.objects.manifest.ObjectKeys;
import io.tidekv.objects.manifest.RecordCodec;
import io.tidekv.objects.manifest.RecordNames;
import io.tidekv.objects.manifest.RecordRange;
import io.tidekv.objects.store.Checksums;
import io.tidekv.objects.store.ObjectStore;
import io.tidekv.proto.manifest.Lineage;
import io.tidekv.proto.manifest.TabletRecord;
import io.tidekv.proto.pdstate.RestorePlan;
import io.tidekv.proto.pdstate.RestoredRegion;
import io.tidekv.proto.region.ObjectRef;
import io.tidekv.proto.region.RegionShape;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What a new cluster begins with, made from the objects of one that must not run any more.
 *
 * @param plan for PD's first start
 * @param parts what the key space is covered with, in order
 * @param problems objects that could not be used
 */
public record Restoration(RestorePlan plan, List<Part> parts, List<String> problems) {
    /** Far above what may have been given out without a trace in the bucket. */
    private static final long IDS_SPARED = 100_000;

    /** PD promises timestamps three seconds ahead; clocks may differ a little. */
    private static final long TSO_SPARED_MILLIS = 10_000;

    /**
     * A region of the new cluster.
     *
     * @param record what its data come from, with what was replayed; empty: they come from the log
     *     alone, or there are none
     * @param appliedIndex the entry of the log up to which they go
     * @param replayedEntries how many of them came from the archived log
     * @param untilMillis when the record was stored, or the last entry written: later writes are
     *     lost, and perhaps some a moment before; 0 without data
     */
    public record Part(
            long regionId,
            ByteString startKey,
            ByteString endKey,
            String record,
            long appliedIndex,
            long replayedEntries,
            long untilMillis) {
        /** Whether there are no data. */
        public boolean isEmpty() {
            return record.isEmpty() && replayedEntries == 0;
        }
    }

    /**
     * The newest state of every region that all objects of are there, and what the archive of the
     * log says after it.
     */
    public static Restoration newest(
            ObjectStore cluster, long clusterId, StateMaker maker, Randomness randomness) {
        Inventory inventory = Inventory.of(cluster, clusterId);
        ArchiveReader archive = ArchiveReader.open(cluster, 0);
        inventory.see(archive);
        Collection<Candidate> states =
                new LogTails(archive, maker, inventory).advance(inventory.newest(archive));
        return make(cluster, clusterId, inventory, states, maker, randomness);
    }

    /** The states that a backup holds. Throws IllegalStateException when one cannot be used. */
    public static Restoration of(
            ObjectStore cluster, BackupSet backup, StateMaker maker, Randomness randomness) {
        Inventory inventory = Inventory.of(cluster, backup.clusterId());
        List<Candidate> candidates = new ArrayList<>();
        for (BackupSet.Region region : backup.regions()) {
            ObjectRef ref = region.record();
            if (ref == null) {
                continue;
            }
            Candidate candidate = inventory.load(ref, inventory.storedMillis(ref));
            if (candidate == null) {
                throw new IllegalStateException(
                        "the backup cannot be restored: " + inventory.problems());
            }
            candidates.add(candidate);
        }
        return make(cluster, backup.clusterId(), inventory, candidates, maker, randomness);
    }

    private static Restoration make(
            ObjectStore cluster,
            long clusterId,
            Inventory inventory,
            Collection<Candidate> candidates,
            StateMaker states,
            Randomness randomness) {
        if (candidates.isEmpty()) {
            throw new IllegalStateException(
                    "there is no record of cluster "
                            + Long.toUnsignedString(clusterId)
                            + " that could be used "
                            + inventory.problems());
        }
        int mode = candidates.iterator().next().record().getApiMode();
        Maker maker = new Maker(cluster, inventory, states, mode, randomness);
        RestorePlan.Builder plan = RestorePlan.newBuilder();
        List<Part> parts = new ArrayList<>();
        for (KeyCover.Piece piece : KeyCover.of(candidates)) {
            RestoredRegion region = maker.region(piece);
            plan.addRegions(region);
            parts.add(part(region, piece));
        }
        plan.setClusterId(clusterId)
                .setApiMode(mode)
                .setNextId(maker.nextId)
                .setNextIncarnation(inventory.newestIncarnation() + IDS_SPARED)
                .setTsoBoundMillis(inventory.newestMillis() + TSO_SPARED_MILLIS);
        return new Restoration(plan.build(), List.copyOf(parts), inventory.problems());
    }

    private static Part part(RestoredRegion region, KeyCover.Piece piece) {
        Candidate from = piece.from();
        return new Part(
                region.getShape().getRegionId(),
                piece.start(),
                piece.end(),
                from == null || !from.hasRecord() ? "" : RecordNames.of(from.ref()),
                from == null ? 0 : from.record().getAppliedIndex(),
                from == null || from.replayed() == null ? 0 : from.replayed().entries(),
                from == null ? 0 : from.untilMillis());
    }

    /** Makes the first records. */
    private static final class Maker {
        private final ObjectStore cluster;
        private final Inventory inventory;
        private final StateMaker states;
        private final int apiMode;
        private final Randomness randomness;
        private final Set<Long> taken = new HashSet<>();
        private final long plan;
        private long nextId;

        Maker(
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

        RestoredRegion region(KeyCover.Piece piece) {
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
            TabletRecord first = from == null ? nothing(shape, term) : record(from, shape, term);
            return RestoredRegion.newBuilder()
                    .setShape(shape)
                    .setTerm(term)
                    .setFirstRecord(store(first))
                    .build();
        }

        /** A region that begins without a record would have the whole range. */
        private TabletRecord nothing(RegionShape shape, long term) {
            try (StateMaker.Replay empty = states.beginEmpty(shape, apiMode, term)) {
                return begun(empty.finish(), shape, term, 0, 0);
            }
        }

        private TabletRecord record(Candidate from, RegionShape shape, long term) {
            return begun(
                    RecordRange.within(from.record(), shape),
                    shape,
                    term,
                    from.hasRecord() ? from.regionId() : 0,
                    from.record().getAppliedIndex());
        }

        private TabletRecord begun(
                TabletRecord content, RegionShape shape, long term, long origin, long index) {
            return content.toBuilder()
                    .setShape(shape)
                    .setTerm(term)
                    .setSequence(0)
                    .setAppliedIndex(0)
                    .setAppliedTerm(0)
                    .clearParent()
                    .clearPendingChildren()
                    .addLineage(
                            Lineage.newBuilder()
                                    .setRegionId(origin)
                                    .setIndex(index)
                                    .setEvent(Candidate.RESTORE)
                                    .setPlan(plan))
                    .build();
        }

        private ObjectRef store(TabletRecord record) {
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

    /** The only cluster in a store; null when there is none or several. */
    public static @Nullable Long onlyCluster(ObjectStore store) {
        Long only = null;
        String after = "";
        while (true) {
            List<ObjectStore.ObjectInfo> next = store.list("", after, 1);
            if (next.isEmpty()) {
                return only;
            }
            String name = next.get(0).name();
            String top = name.substring(0, Math.max(name.indexOf('/'), 0));
            if (top.matches("[1-9][0-9]{0,19}")) {
                if (only != null) {
                    return null;
                }
                only = Long.parseUnsignedLong(top);
            }
            // The first name that is not below it: '0' follows '/'.
            after = top.isEmpty() ? name : top + "0";
        }
    }
}
