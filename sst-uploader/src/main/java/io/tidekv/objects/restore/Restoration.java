package io.tidekv.objects.restore;

import com.google.protobuf.ByteString;
import io.tidekv.common.Randomness;
import io.tidekv.objects.archive.ArchiveReader;
import io.tidekv.objects.backup.BackupSet;
import io.tidekv.objects.manifest.RecordNames;
import io.tidekv.objects.store.ObjectStore;
import io.tidekv.proto.manifest.TabletRecord;
import io.tidekv.proto.pdstate.RestorePlan;
import io.tidekv.proto.pdstate.RestoredRegion;
import io.tidekv.proto.region.ObjectRef;
import io.tidekv.proto.region.RegionShape;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What a new cluster begins with, made from the objects of one that must not run any more.
 *
 * @param plan for PD's first start
 * @param parts what the key space is covered with, in order
 * @param atMillis transactions that were committed later are left out; 0: everything is there
 * @param whole every transaction is there in all of its regions or in none
 * @param problems objects that could not be used
 */
public record Restoration(
        RestorePlan plan, List<Part> parts, long atMillis, boolean whole, List<String> problems) {
    /** Far above what may have been given out without a trace in the bucket. */
    private static final long INCARNATIONS_SPARED = 100_000;

    /** So much is given up, unasked, for transactions to be whole. */
    private static final long GIVEN_UP_MILLIS = 600_000;

    /** The API mode in which nothing is a transaction's. */
    private static final int RAW_WITH_TTL = 2;

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
     * log says after it, as far as the goal goes.
     *
     * @throws RestoreRefused when the goal cannot be reached
     */
    public static Restoration newest(
            ObjectStore cluster,
            long clusterId,
            StateMaker maker,
            Goal goal,
            Randomness randomness) {
        Inventory inventory = Inventory.of(cluster, clusterId);
        ArchiveReader archive = ArchiveReader.open(cluster, 0);
        inventory.see(archive);
        ArchivedMerges merges = merges(archive, inventory.hasMerges());
        Moment moment = moment(goal, archive, merges, maker, inventory);
        List<KeyCover.Piece> pieces = pieces(moment, archive, merges, maker, inventory);
        if (moment.isCut() && pieces.stream().anyMatch(piece -> piece.from() == null)) {
            String reason =
                    "some keys have no record from before "
                            + Instant.ofEpochMilli(moment.atMillis());
            if (goal.isPoint()) {
                throw new RestoreRefused(reason + ": choose a later time " + inventory.problems());
            }
            inventory.problem(reason + ": transactions may be torn");
            moment = Moment.ALL;
            pieces = pieces(moment, archive, merges, maker, inventory);
        }
        return make(cluster, clusterId, inventory, pieces, moment, maker, randomness);
    }

    /** All that the log tells of, if there are any; else they are looked for when one shows. */
    private static ArchivedMerges merges(ArchiveReader archive, boolean any) {
        ArchivedMerges merges = new ArchivedMerges(archive);
        if (any) {
            merges.load();
        }
        return merges;
    }

    private static List<KeyCover.Piece> pieces(
            Moment moment,
            ArchiveReader archive,
            ArchivedMerges merges,
            StateMaker maker,
            Inventory inventory) {
        return KeyCover.of(
                new LogTails(archive, merges, maker, inventory, moment, false)
                        .advance(inventory.newest(archive, moment.atMillis())));
    }

    private static Moment moment(
            Goal goal,
            ArchiveReader archive,
            ArchivedMerges merges,
            StateMaker maker,
            Inventory inventory) {
        if (goal.evenTorn() || (!goal.isPoint() && archive.parts().isEmpty())) {
            return Moment.ALL;
        }
        LogTails tails = new LogTails(archive, merges, maker, inventory, Moment.ALL, false);
        long until = tails.completeUntilMillis();
        if (goal.isPoint()) {
            return Moment.at(goal.atMillis(), until);
        }
        Collection<Candidate> newest = inventory.newest(archive, Long.MAX_VALUE);
        if (until == 0 || newest.stream().allMatch(c -> c.record().getApiMode() == RAW_WITH_TTL)) {
            return Moment.ALL;
        }
        if (tails.endBy(newest, until)) {
            return Moment.END;
        }
        long at = until - Moment.MARGIN_MILLIS;
        if (inventory.newestMillis() - at > GIVEN_UP_MILLIS) {
            throw new RestoreRefused(
                    "what fits together ends at "
                            + Instant.ofEpochMilli(Math.max(at, 0))
                            + ", and there are objects of "
                            + Instant.ofEpochMilli(inventory.newestMillis())
                            + ": choose with --at TIME, or --everything");
        }
        return Moment.at(at, until);
    }

    /**
     * The states that a backup holds, and what the archive of the log says after them if the goal
     * is a point in time. Throws IllegalStateException when one cannot be used.
     *
     * @throws RestoreRefused when the point in time cannot be reached from the backup
     */
    public static Restoration of(
            ObjectStore cluster,
            BackupSet backup,
            StateMaker maker,
            Goal goal,
            Randomness randomness) {
        return of(cluster, backup, new Heir(cluster, backup.clusterId()), maker, goal, randomness);
    }

    /**
     * The same for a cluster beside the one that made it: with an id and a prefix of its own, in
     * which what it writes is stored; what the other one has it reads there.
     *
     * @param parent the part of the object store of the one that made it
     * @param heir that of the new one
     * @param maker for the new one
     */
    public static Restoration branch(
            ObjectStore parent,
            BackupSet backup,
            ObjectStore heir,
            long heirId,
            StateMaker maker,
            Goal goal,
            Randomness randomness) {
        return of(parent, backup, new Heir(heir, heirId), maker, goal, randomness);
    }

    /** The cluster that is made. */
    private record Heir(ObjectStore cluster, long id) {
        /** A state in its words. */
        Candidate take(Candidate from) {
            long parent = from.record().getClusterId();
            return parent == id
                    ? from
                    : new Candidate(
                            InheritedFiles.of(from.record(), id), from.ref(), from.storedMillis());
        }
    }

    private static Restoration of(
            ObjectStore cluster,
            BackupSet backup,
            Heir heir,
            StateMaker maker,
            Goal goal,
            Randomness randomness) {
        Inventory inventory = Inventory.of(cluster, backup.clusterId());
        List<Candidate> held = new ArrayList<>();
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
            held.add(heir.take(candidate));
        }
        Moment moment = Moment.of(backup.ts());
        Collection<Candidate> candidates = held;
        if (goal.isPoint()) {
            if (backup.ts() == 0 || goal.atMillis() < backup.atMillis()) {
                throw new RestoreRefused(
                        backup.ts() == 0
                                ? "the backup is of no one moment, so no time after it can be"
                                        + " reached: leave --at out"
                                : "the backup is of "
                                        + Instant.ofEpochMilli(backup.atMillis())
                                        + ": choose that or a later time, or leave --at out");
            }
            ArchiveReader archive = ArchiveReader.open(cluster, 0);
            inventory.see(archive);
            ArchivedMerges merges = merges(archive, true);
            long complete =
                    new LogTails(archive, merges, maker, inventory, Moment.ALL, true)
                            .completeUntilMillis();
            moment = Moment.at(goal.atMillis(), complete);
            candidates = follow(held, moment, archive, merges, maker, inventory);
        }
        return make(
                heir.cluster,
                heir.id,
                inventory,
                KeyCover.of(candidates),
                moment,
                maker,
                randomness);
    }

    private static Collection<Candidate> follow(
            List<Candidate> held,
            Moment moment,
            ArchiveReader archive,
            ArchivedMerges merges,
            StateMaker maker,
            Inventory inventory) {
        int problems = inventory.problems().size();
        Collection<Candidate> states =
                new LogTails(archive, merges, maker, inventory, moment, true).advance(held);
        List<String> now = inventory.problems();
        if (now.size() > problems) {
            throw new RestoreRefused(
                    "the archived log does not lead from the backup to "
                            + Instant.ofEpochMilli(moment.atMillis())
                            + ": "
                            + now.subList(problems, now.size()));
        }
        return states;
    }

    private static Restoration make(
            ObjectStore cluster,
            long clusterId,
            Inventory inventory,
            List<KeyCover.Piece> pieces,
            Moment moment,
            StateMaker states,
            Randomness randomness) {
        Candidate any =
                pieces.stream()
                        .map(KeyCover.Piece::from)
                        .filter(Objects::nonNull)
                        .findFirst()
                        .orElseThrow(
                                () ->
                                        new IllegalStateException(
                                                "there is no record of cluster "
                                                        + Long.toUnsignedString(clusterId)
                                                        + " that could be used "
                                                        + inventory.problems()));
        int mode = any.record().getApiMode();
        FirstRecords maker = new FirstRecords(cluster, inventory, states, mode, randomness);
        List<TabletRecord> records = new ArrayList<>();
        pieces.forEach(piece -> records.add(maker.of(piece)));
        boolean settles = moment.whole() && mode != RAW_WITH_TTL;
        List<TabletRecord> settled =
                settles ? states.settle(records, moment.upToTs()) : List.copyOf(records);
        RestorePlan.Builder plan = RestorePlan.newBuilder();
        List<Part> parts = new ArrayList<>();
        for (int i = 0; i < pieces.size(); i++) {
            RegionShape shape = records.get(i).getShape();
            long term = records.get(i).getTerm();
            TabletRecord first = moment.opened(FirstRecords.begun(settled.get(i), shape, term));
            plan.addRegions(
                    RestoredRegion.newBuilder()
                            .setShape(shape)
                            .setTerm(term)
                            .setFirstRecord(maker.store(first)));
            parts.add(part(shape.getRegionId(), pieces.get(i)));
        }
        plan.setClusterId(clusterId)
                .setApiMode(mode)
                .setNextId(maker.nextId())
                .setNextIncarnation(inventory.newestIncarnation() + INCARNATIONS_SPARED)
                .setTsoBoundMillis(inventory.newestMillis() + TSO_SPARED_MILLIS);
        return new Restoration(
                plan.build(),
                List.copyOf(parts),
                moment.isCut() ? moment.atMillis() : 0,
                moment.whole(),
                inventory.problems());
    }

    private static Part part(long regionId, KeyCover.Piece piece) {
        Candidate from = piece.from();
        return new Part(
                regionId,
                piece.start(),
                piece.end(),
                from == null || !from.hasRecord() ? "" : RecordNames.of(from.ref()),
                from == null ? 0 : from.record().getAppliedIndex(),
                from == null || from.replayed() == null ? 0 : from.replayed().entries(),
                from == null ? 0 : from.untilMillis());
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
