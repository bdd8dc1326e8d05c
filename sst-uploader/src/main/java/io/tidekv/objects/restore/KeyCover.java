package io.tidekv.objects.restore;

import com.google.protobuf.ByteString;
import io.tidekv.proto.manifest.Lineage;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * A cover of the key space by records, one per region, whose ranges may overlap because they were
 * published before and after splits and merges. Where two overlap one is an ancestor of the other
 * in their history, and the one with the higher version is the later. Pure.
 */
final class KeyCover {
    private static final Comparator<ByteString> ORDER =
            ByteString.unsignedLexicographicalComparator();

    /** From the start of each piece to the next one; null: nothing is known there. */
    private final TreeMap<ByteString, @Nullable Candidate> pieces = new TreeMap<>(ORDER);

    private KeyCover() {
        pieces.put(ByteString.EMPTY, null);
    }

    /**
     * A part of the key space.
     *
     * @param end empty: no bound
     * @param from what its data come from; null: there are none
     */
    record Piece(ByteString start, ByteString end, @Nullable Candidate from) {}

    /** Pieces in key order, without gaps. */
    static List<Piece> of(Collection<Candidate> records) {
        Map<Long, Candidate> byRegion = new HashMap<>();
        records.forEach(c -> byRegion.put(c.regionId(), c));
        List<Candidate> oldestFirst = new ArrayList<>();
        for (Candidate candidate : records) {
            if (!isOutlived(candidate, byRegion)) {
                oldestFirst.add(
                        isVoidMerge(candidate, byRegion) ? candidate.withoutMerge() : candidate);
            }
        }
        oldestFirst.sort(
                Comparator.comparingLong(Candidate::version)
                        .thenComparingLong(c -> c.record().getAppliedIndex())
                        .thenComparingLong(Candidate::regionId));
        KeyCover cover = new KeyCover();
        oldestFirst.forEach(cover::paint);
        return cover.result();
    }

    /**
     * Whether the parent has published a later state of the same keys than its child's first
     * record: the split was given up, or the child has not lived to publish.
     */
    private static boolean isOutlived(Candidate child, Map<Long, Candidate> byRegion) {
        if (!child.isFirstOfSplit()) {
            return false;
        }
        Lineage origin = child.origin();
        Candidate parent = byRegion.get(origin.getRegionId());
        return parent != null
                && parent.version() < child.version()
                && parent.record().getAppliedIndex() >= origin.getIndex()
                && ORDER.compare(parent.start(), child.start()) <= 0
                && (parent.end().isEmpty()
                        || (!child.end().isEmpty()
                                && ORDER.compare(child.end(), parent.end()) <= 0));
    }

    /**
     * Whether the record was made for a merge that has not come about: what was to go has published
     * a later state than the record has of it.
     */
    private static boolean isVoidMerge(Candidate merged, Map<Long, Candidate> byRegion) {
        Candidate source = byRegion.get(merged.mergedRegion());
        return source != null
                && Long.compareUnsigned(
                                source.record().getAppliedIndex(), merged.origin().getIndex())
                        > 0;
    }

    private void paint(Candidate candidate) {
        cut(candidate.start());
        cut(candidate.end());
        ByteString end = candidate.end();
        for (Map.Entry<ByteString, @Nullable Candidate> piece :
                pieces.tailMap(candidate.start(), true).entrySet()) {
            if (!end.isEmpty() && ORDER.compare(piece.getKey(), end) >= 0) {
                break;
            }
            piece.setValue(candidate);
        }
    }

    private void cut(ByteString at) {
        if (!at.isEmpty()) {
            pieces.putIfAbsent(at, pieces.floorEntry(at).getValue());
        }
    }

    private List<Piece> result() {
        List<Piece> result = new ArrayList<>();
        ByteString start = ByteString.EMPTY;
        Candidate from = pieces.get(start);
        for (Map.Entry<ByteString, @Nullable Candidate> next :
                pieces.tailMap(start, false).entrySet()) {
            if (!Objects.equals(next.getValue(), from)) {
                result.add(new Piece(start, next.getKey(), from));
                start = next.getKey();
                from = next.getValue();
            }
        }
        result.add(new Piece(start, ByteString.EMPTY, from));
        return result;
    }
}
