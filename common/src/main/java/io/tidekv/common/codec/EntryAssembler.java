package io.tidekv.common.codec;

import com.google.protobuf.ByteString;
import com.google.protobuf.UnsafeByteOperations;
import io.tidekv.common.Invariants;
import io.tidekv.proto.region.Entry;
import io.tidekv.proto.region.EntryKind;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Joins the parts of large entries, for whoever reads a region's log: parts are followed by the
 * entry of the same term that has the kind and the last piece. An owner writes them without
 * anything in between, so what an entry of another term follows was left unfinished by an owner
 * that was replaced, and is of no entry.
 *
 * <p>What comes out has the index of the last piece and says in {@code parts} how many entries
 * before it were joined or dropped: an applied index never lies within a group. Holds one group at
 * most. Not thread-safe.
 */
public final class EntryAssembler {
    private final List<ByteString> pieces = new ArrayList<>();
    private long bytes;
    private long term;
    private long lastIndex;
    private long swallowed;

    /** Takes the next entry of the log; returns a whole one, or null when more has to come. */
    public @Nullable Entry add(Entry entry) {
        boolean part = entry.getKind() == EntryKind.PART;
        if (swallowed == 0 && !part) {
            return entry;
        }
        Invariants.check(
                swallowed == 0 || entry.getIndex() == lastIndex + 1,
                "entry %s follows the part %s",
                entry.getIndex(),
                lastIndex);
        if (entry.getTerm() != term) {
            dropPieces();
        }
        if (part) {
            term = entry.getTerm();
            lastIndex = entry.getIndex();
            pieces.add(entry.getData());
            bytes += entry.getData().size();
            swallowed++;
            return null;
        }
        Entry whole = entry.toBuilder().setParts(swallowed).setData(joined(entry)).build();
        clear();
        return whole;
    }

    private ByteString joined(Entry last) {
        if (pieces.isEmpty()) {
            return last.getData();
        }
        byte[] joined = new byte[Math.toIntExact(bytes + last.getData().size())];
        int at = 0;
        for (ByteString piece : pieces) {
            piece.copyTo(joined, at);
            at += piece.size();
        }
        last.getData().copyTo(joined, at);
        return UnsafeByteOperations.unsafeWrap(joined);
    }

    /** The whole entries that come of the next ones. */
    public List<Entry> addAll(List<Entry> entries) {
        if (swallowed == 0 && isWhole(entries)) {
            return entries;
        }
        List<Entry> whole = new ArrayList<>();
        for (Entry entry : entries) {
            Entry joined = add(entry);
            if (joined != null) {
                whole.add(joined);
            }
        }
        return whole;
    }

    private static boolean isWhole(List<Entry> entries) {
        for (Entry entry : entries) {
            if (entry.getKind() == EntryKind.PART) {
                return false;
            }
        }
        return true;
    }

    /** How many entries have been taken since the last whole one. */
    public long pending() {
        return swallowed;
    }

    /** Begins anew, behind a whole entry. */
    public void clear() {
        dropPieces();
        swallowed = 0;
    }

    private void dropPieces() {
        pieces.clear();
        bytes = 0;
    }
}
