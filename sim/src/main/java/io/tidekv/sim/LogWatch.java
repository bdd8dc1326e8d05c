package io.tidekv.sim;

import io.tidekv.proto.region.Entry;
import io.tidekv.proto.region.Owner;
import io.tidekv.proto.wal.VoterMeta;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Log matching and single ownership, watched at the moment of writing: an (index, term) is one
 * entry after one predecessor for ever, wherever it is written; a (region, term) has one owner.
 */
final class LogWatch {
    private record Place(long region, long index, long term) {}

    private record Content(long previousTerm, int kind, int data) {}

    private record Reign(long region, long term) {}

    private final boolean watchesOwners;
    private final Map<Place, Content> seen = new HashMap<>();
    private final Map<Reign, Owner> owners = new HashMap<>();

    LogWatch(boolean watchesOwners) {
        this.watchesOwners = watchesOwners;
    }

    void owned(long regionId, VoterMeta meta) {
        if (meta.getTerm() == 0 || !watchesOwners) {
            return;
        }
        Owner before = owners.putIfAbsent(new Reign(regionId, meta.getTerm()), meta.getOwner());
        SimFailure.check(
                before == null || before.equals(meta.getOwner()),
                "region %d term %d has two owners",
                regionId,
                meta.getTerm());
    }

    void appended(long regionId, long previousTerm, List<Entry> entries) {
        long previous = previousTerm;
        for (Entry entry : entries) {
            Content content =
                    new Content(previous, entry.getKindValue(), entry.getData().hashCode());
            Content before =
                    seen.putIfAbsent(
                            new Place(regionId, entry.getIndex(), entry.getTerm()), content);
            SimFailure.check(
                    before == null || before.equals(content),
                    "region %d: two entries %d of term %d",
                    regionId,
                    entry.getIndex(),
                    entry.getTerm());
            previous = entry.getTerm();
        }
    }
}
