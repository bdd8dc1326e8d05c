package io.tidekv.objects.restore;

import io.tidekv.common.InvariantViolation;
import io.tidekv.common.error.KvException;
import io.tidekv.objects.archive.ArchiveException;
import io.tidekv.objects.archive.ArchiveReader;
import io.tidekv.objects.archive.LogIds;
import io.tidekv.objects.archive.RegionArchive;
import io.tidekv.objects.manifest.RecordRange;
import io.tidekv.objects.restore.Candidate.Replayed;
import io.tidekv.proto.manifest.Lineage;
import io.tidekv.proto.manifest.TabletRecord;
import io.tidekv.proto.region.Bootstrap;
import io.tidekv.proto.region.ObjectRef;
import io.tidekv.proto.region.Origin;
import io.tidekv.proto.region.RegionShape;
import io.tidekv.proto.region.SplitChild;
import io.tidekv.proto.region.SplitOrigin;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Brings what records hold to the end of the archived log: each region by the entries after its
 * record, and children of splits that have not published yet by what their parent wrote before the
 * split, too. A child of which no record is there can be made of what its parent began with. What
 * cannot be applied is left out together with all that follows, and told. Blocking; belongs to one
 * thread.
 */
final class LogTails {
    private static final long BOOTSTRAP =
            LogIds.of(Origin.newBuilder().setBootstrap(Bootstrap.getDefaultInstance()).build());

    /** Of a region that has no record. */
    private static final ObjectRef NOTHING = ObjectRef.getDefaultInstance();

    private final ArchiveReader archive;
    private final StateMaker maker;
    private final Inventory inventory;
    private final long untilMillis;
    private final boolean derives;
    private final ReplayBases bases;
    private final Map<Long, Candidate> waiting = new LinkedHashMap<>();
    private final Map<Long, Candidate> done = new LinkedHashMap<>();
    private final ArrayDeque<Parent> parents = new ArrayDeque<>();

    /**
     * A region whose children may begin with what its log says.
     *
     * @param start what it began with, after what it had {@code inherited}
     * @param born children of splits that its log tells of after that
     */
    private record Parent(
            Candidate start,
            List<Inheritance> inherited,
            Candidate state,
            RegionArchive log,
            List<SplitChild> born) {}

    /** What a region has come to, and the children that it has got on the way. */
    private record Advanced(Candidate state, List<SplitChild> born) {}

    /**
     * @param derives whether children are made of what their parents began with, unless they are
     *     among the records; for records that are older than their regions' newest. Then regions
     *     that have been merged since are refused
     */
    LogTails(
            ArchiveReader archive,
            ArchivedMerges merges,
            StateMaker maker,
            Inventory inventory,
            Moment moment,
            boolean derives) {
        this.derives = derives;
        this.archive = archive;
        this.maker = maker;
        this.inventory = inventory;
        this.untilMillis = moment.logMillis();
        this.bases = new ReplayBases(merges, inventory, moment, derives, this::problem);
    }

    /** The states that the records have come to. */
    Collection<Candidate> advance(Collection<Candidate> records) {
        List<Candidate> ordered = new ArrayList<>(records);
        ordered.sort(
                Comparator.comparingLong(Candidate::version)
                        .thenComparingLong(Candidate::regionId));
        for (Candidate record : ordered) {
            if (record.isFirstOfSplit()) {
                waiting.put(record.regionId(), record);
            }
        }
        for (Candidate record : ordered) {
            if (!record.isFirstOfSplit()) {
                advance(record);
                bearChildren();
            }
        }
        advanceFirst();
        // Of a split that no log tells of: given up, or not known here.
        done.putAll(waiting);
        return done.values();
    }

    /** The cluster's first region, if it has split before it had published anything. */
    private void advanceFirst() {
        Candidate any =
                done.isEmpty()
                        ? waiting.values().stream().findFirst().orElse(null)
                        : done.values().iterator().next();
        for (long region : archive.regions()) {
            boolean known = done.containsKey(region) || waiting.containsKey(region);
            Candidate nothing =
                    any == null || known ? null : new Candidate(nothing(region, any), NOTHING, 0);
            RegionArchive log =
                    nothing == null ? null : guarded(nothing, () -> log(region, BOOTSTRAP));
            if (nothing != null && log != null && log.firstIndex() == 1) {
                Advanced replayed = guarded(nothing, () -> replay(nothing, log, List.of()));
                if (replayed != null) {
                    take(nothing, List.of(), log, replayed);
                    bearChildren();
                }
            }
        }
    }

    private static TabletRecord nothing(long region, Candidate like) {
        return TabletRecord.newBuilder()
                .setClusterId(like.record().getClusterId())
                .setApiMode(like.record().getApiMode())
                .setShape(RegionShape.newBuilder().setRegionId(region).setVersion(1))
                .build();
    }

    private void advance(Candidate record) {
        RegionArchive log = guarded(record, () -> logOf(record));
        take(
                record,
                List.of(),
                log,
                log == null ? null : guarded(record, () -> replay(record, log, List.of())));
    }

    private void take(
            Candidate record,
            List<Inheritance> inherited,
            @Nullable RegionArchive log,
            @Nullable Advanced advanced) {
        Candidate result = advanced == null ? record : advanced.state;
        List<SplitChild> born = advanced == null ? List.of() : advanced.born;
        done.put(record.regionId(), result);
        if (log != null) {
            parents.add(new Parent(record, inherited, result, log, born));
        }
    }

    private void bearChildren() {
        while (!parents.isEmpty()) {
            Parent parent = parents.remove();
            for (SplitChild child : parent.state.record().getPendingChildrenList()) {
                Candidate first = waiting.remove(child.getShape().getRegionId());
                if (first != null) {
                    bear(parent, first, child.getSplitIndex());
                }
            }
            for (SplitChild child : derives ? parent.born : List.<SplitChild>of()) {
                if (!done.containsKey(child.getShape().getRegionId())) {
                    bear(parent, derived(parent.start, child), child.getSplitIndex());
                }
            }
        }
    }

    /** As the parent would have made it when it had nothing but what it began with. */
    private static Candidate derived(Candidate parent, SplitChild child) {
        RegionShape shape = child.getShape();
        TabletRecord first =
                FirstRecords.begun(
                                RecordRange.within(parent.record(), shape),
                                shape,
                                child.getFirstTerm())
                        .toBuilder()
                        .addLineage(
                                Lineage.newBuilder()
                                        .setRegionId(parent.regionId())
                                        .setIndex(parent.record().getAppliedIndex())
                                        .setEvent(Candidate.SPLIT))
                        .build();
        return new Candidate(first, parent.ref(), parent.storedMillis());
    }

    /** The child's own log counts only when all is there that its parent wrote before. */
    private void bear(Parent parent, Candidate first, long splitIndex) {
        Inheritance before =
                new Inheritance(parent.log, first.origin().getIndex() + 1, splitIndex - 1);
        long missing = parent.log.firstMissing(before.from, before.to);
        if (missing != 0) {
            problem(first, "entry " + missing + " of its parent's log is not there");
            done.put(first.regionId(), first);
            return;
        }
        long logId =
                LogIds.of(
                        Origin.newBuilder()
                                .setSplit(
                                        SplitOrigin.newBuilder()
                                                .setParentRegionId(parent.state.regionId())
                                                .setSplitIndex(splitIndex))
                                .build());
        RegionArchive own = guarded(first, () -> log(first.regionId(), logId));
        List<Inheritance> all = new ArrayList<>();
        if (first.ref().equals(parent.start.ref())) {
            all.addAll(parent.inherited);
        }
        all.add(before);
        take(first, all, own, guarded(first, () -> replay(first, own, all)));
    }

    /** What a child gets of its parent's log. */
    private record Inheritance(RegionArchive log, long from, long to) {}

    /**
     * Until when the archive has all that was acknowledged, and shows that it is committed; 0 when
     * nothing is certain.
     */
    long completeUntilMillis() {
        long until = ArchiveCoverage.untilMillis(archive);
        for (long region : archive.regions()) {
            try {
                if (!archive.logs(region).isEmpty()) {
                    until = Math.min(until, archive.region(region).openSinceMillis() - 1);
                }
            } catch (ArchiveException e) {
                inventory.problem(String.valueOf(e.getMessage()));
                return 0;
            }
        }
        return Math.max(until, 0);
    }

    /** Whether neither a record nor its log goes beyond a time. */
    boolean endBy(Collection<Candidate> records, long millis) {
        for (long region : archive.regions()) {
            RegionArchive first = log(region, BOOTSTRAP);
            long last = first == null ? 0 : first.lastReadable(1, Long.MAX_VALUE);
            if (first != null && last > 0 && first.writtenMillis(last) > millis) {
                return false;
            }
        }
        for (Candidate record : records) {
            if (record.storedMillis() > millis) {
                return false;
            }
            RegionArchive log =
                    record.isFirstOfSplit() ? null : guarded(record, () -> logOf(record));
            long from = record.record().getAppliedIndex() + 1;
            long last = log == null ? 0 : log.lastReadable(from, Long.MAX_VALUE);
            if (log != null && last >= from && log.writtenMillis(last) > millis) {
                return false;
            }
        }
        return true;
    }

    /** The archived log that a record belongs to; null when there is none. */
    private @Nullable RegionArchive logOf(Candidate record) {
        TabletRecord at = record.record();
        if (record.isFirstOfRestore()) {
            return log(record.regionId(), UnusedPlans.logOf(record));
        }
        RegionArchive found = null;
        for (ArchiveReader.Log log : archive.logs(record.regionId())) {
            RegionArchive next = archive.region(record.regionId(), log.logId());
            if (next.continues(at.getAppliedIndex(), at.getAppliedTerm())) {
                if (found != null) {
                    throw new ArchiveException(
                            ArchiveException.Kind.CONTRADICTION,
                            "several archived logs continue the record");
                }
                found = next;
            } else if (next.lastIndex() > at.getAppliedIndex()
                    && archive.logs(record.regionId()).size() == 1) {
                problem(record, "the archived log does not continue the record");
            }
        }
        return found;
    }

    private @Nullable RegionArchive log(long regionId, long logId) {
        boolean known = archive.logs(regionId).stream().anyMatch(log -> log.logId() == logId);
        return known ? archive.region(regionId, logId) : null;
    }

    /** Null when there is nothing to be added. */
    private @Nullable Advanced replay(
            Candidate record, @Nullable RegionArchive log, List<Inheritance> before) {
        long from = record.record().getAppliedIndex() + 1;
        long to = log == null ? from - 1 : log.lastReadable(from, untilMillis);
        if (log != null && to < log.lastIndex() && log.firstMissing(to + 1, to + 1) != 0) {
            problem(
                    record,
                    "entries behind " + to + " are known up to " + log.lastIndex() + " and lost");
        }
        ReplayBases.Base base = bases.of(record, log, to);
        Candidate state = base.state();
        if (base.to() < base.from() && before.isEmpty()) {
            return null;
        }
        long term = inventory.newestTerm(record.regionId()) + 1;
        Lines lines = new Lines();
        try (StateMaker.Replay replay = begin(state, term)) {
            for (Inheritance each : state.isFirstOfSplit() ? before : List.<Inheritance>of()) {
                if (each.from <= each.to) {
                    each.log.read(each.from, each.to, entry -> replay.inherit(entry.entry()));
                }
            }
            if (log != null && base.to() >= base.from()) {
                readSome(record, log, base, replay, lines);
            }
            List<SplitChild> born = replay.born();
            return new Advanced(
                    new Candidate(
                            replay.finish(),
                            state.ref(),
                            state.storedMillis(),
                            new Replayed(lines.count, lines.lastMillis)),
                    born);
        }
    }

    private StateMaker.Replay begin(Candidate record, long term) {
        TabletRecord at = record.record();
        return record.hasRecord()
                ? maker.begin(record.ref(), at, term)
                : maker.beginEmpty(at.getShape(), at.getApiMode(), term);
    }

    /** Stops before an entry of which no copy is whole. */
    private void readSome(
            Candidate record,
            RegionArchive log,
            ReplayBases.Base base,
            StateMaker.Replay replay,
            Lines lines) {
        try {
            log.read(
                    base.from(),
                    base.to(),
                    entry -> {
                        replay.apply(entry.entry());
                        lines.count++;
                        lines.lastMillis = Math.max(lines.lastMillis, entry.writtenMillis());
                    });
        } catch (ArchiveException e) {
            problem(record, String.valueOf(e.getMessage()));
        }
    }

    /** How far a replay has come. */
    private static final class Lines {
        private long count;
        private long lastMillis;
    }

    private interface Step<T> {
        @Nullable T run();
    }

    /** Null, and a problem, when the log cannot be used. The store's failures go on. */
    private <T> @Nullable T guarded(Candidate record, Step<T> step) {
        try {
            return step.run();
        } catch (ArchiveException | InvariantViolation | KvException e) {
            problem(record, String.valueOf(e.getMessage()));
            return null;
        }
    }

    private void problem(Candidate record, String text) {
        String born =
                record.isFirstOfSplit()
                        ? ", a child of region " + record.origin().getRegionId()
                        : "";
        inventory.problem("log of region " + record.regionId() + born + ": " + text);
    }
}
