package io.tidekv.objects.restore;

import io.tidekv.objects.archive.RegionArchive;
import io.tidekv.objects.manifest.RecordNames;
import io.tidekv.objects.restore.ArchivedMerges.Merge;
import java.time.Instant;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/**
 * What the log of a region that has taken neighbours over is to be applied to. The entry that
 * decides a merge stands for a record of both regions: only on that one can the log go on. Belongs
 * to one thread.
 */
final class ReplayBases {
    private final ArchivedMerges merges;
    private final Inventory inventory;
    private final Moment moment;
    private final boolean refuses;
    private final BiConsumer<Candidate, String> problems;

    /**
     * @param refuses any merge: children are to be made of what their parents began with, before it
     */
    ReplayBases(
            ArchivedMerges merges,
            Inventory inventory,
            Moment moment,
            boolean refuses,
            BiConsumer<Candidate, String> problems) {
        this.merges = merges;
        this.inventory = inventory;
        this.moment = moment;
        this.refuses = refuses;
        this.problems = problems;
    }

    /** A state, and the last entry that can be applied to it. */
    record Base(Candidate state, long to) {
        long from() {
            return state.record().getAppliedIndex() + 1;
        }
    }

    /**
     * @param to the last entry that is wanted
     * @throws RestoreRefused when a record of a merge cannot be used, or none is to be, unless
     *     transactions may be torn: then what comes before the merge is all
     */
    Base of(Candidate record, @Nullable RegionArchive log, long to) {
        if (log == null) {
            return new Base(record, to);
        }
        Candidate base = record;
        boolean undecided = record.mergedRegion() != 0;
        for (Merge merge : merges.of(log)) {
            if (merge.index() <= record.record().getAppliedIndex() || merge.index() > to) {
                continue;
            }
            if (refuses) {
                throw refused(text(record, merge) + ", behind the backup", merge);
            }
            Candidate next = at(base, merge);
            if (next == null) {
                return new Base(base, without(record, merge));
            }
            base = next;
            undecided = false;
        }
        // Entries behind a merge that was not to be, or comes too late, know nothing of it.
        boolean goesOn = to > record.record().getAppliedIndex();
        return new Base(undecided && goesOn ? base.withoutMerge() : base, to);
    }

    /** The record of a merge, by the name that the log has for it; null when there is none. */
    private @Nullable Candidate at(Candidate base, Merge merge) {
        String name = RecordNames.of(merge.record());
        Candidate found =
                base.hasRecord() && RecordNames.of(base.ref()).equals(name)
                        ? base
                        : inventory.load(merge.record(), inventory.storedMillis(merge.record()));
        return found == null
                ? null
                : new Candidate(
                        found.record(), merge.record(), found.storedMillis(), found.replayed());
    }

    private long without(Candidate record, Merge merge) {
        String what =
                text(record, merge)
                        + ", and the record of both, "
                        + RecordNames.of(merge.record())
                        + ", cannot be used";
        if (moment.whole()) {
            throw refused(what + "; --everything does without", merge);
        }
        problems.accept(record, what + ": nothing behind that is there");
        return merge.index() - 1;
    }

    private static String text(Candidate record, Merge merge) {
        return "region "
                + record.regionId()
                + " takes region "
                + merge.sourceId()
                + " over at entry "
                + merge.index()
                + " of its log";
    }

    private static RestoreRefused refused(String what, Merge merge) {
        return new RestoreRefused(
                what
                        + ": choose a time before "
                        + Instant.ofEpochMilli(merge.writtenMillis() - Moment.MARGIN_MILLIS));
    }
}
