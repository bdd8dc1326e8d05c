package io.tidekv.objects.archive;

import com.google.protobuf.ByteString;
import io.tidekv.common.codec.EntryAssembler;
import io.tidekv.objects.store.Checksums;
import io.tidekv.objects.store.ObjectStore;
import io.tidekv.objects.store.ObjectStoreException;
import io.tidekv.objects.store.ObjectStoreException.Kind;
import io.tidekv.proto.region.Entry;
import io.tidekv.proto.region.EntryKind;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/**
 * The committed log of one region, as far as the archive tells it. The data of entries are read
 * when they are asked for, from one copy each; another one takes the place of a copy that cannot be
 * read. Belongs to one thread.
 */
public final class RegionArchive {
    /** What one read takes at most, unless a single entry is longer. */
    private static final int READ_BYTES_MAX = 4 << 20;

    private final ObjectStore cluster;
    private final long regionId;
    private final long logId;
    private final ProvenLog proven;
    private final long committed;
    private final long openSinceMillis;
    private final List<String> problems;

    RegionArchive(
            ObjectStore cluster,
            long regionId,
            long logId,
            ProvenLog proven,
            long committed,
            long openSinceMillis,
            List<String> problems) {
        this.cluster = cluster;
        this.regionId = regionId;
        this.logId = logId;
        this.proven = proven;
        this.committed = committed;
        this.openSinceMillis = openSinceMillis;
        this.problems = problems;
    }

    public long regionId() {
        return regionId;
    }

    /** Which of the region's logs it is. */
    public long logId() {
        return logId;
    }

    /** The lowest index that can be read; 0 when there is none. */
    public long firstIndex() {
        return proven.isEmpty() ? 0 : proven.first();
    }

    /** The highest index that is known to be committed, whether or not it can be read. */
    public long lastIndex() {
        return committed;
    }

    /**
     * Whether this may be the log that an entry belongs to: it has it, or it begins right behind
     * it.
     */
    public boolean continues(long index, long term) {
        List<Copy> same = proven.copies(index);
        List<Copy> next = proven.copies(index + 1);
        return same.isEmpty()
                ? !next.isEmpty() && Long.compareUnsigned(next.get(0).term(), term) >= 0
                : same.get(0).term() == term;
    }

    /**
     * The last of the entries from {@code from} on without a hole; {@code from - 1}: none.
     *
     * @param untilMillis it ends before the first entry that all its voters wrote later
     */
    public long lastReadable(long from, long untilMillis) {
        long last = from - 1;
        while (!proven.copies(last + 1).isEmpty()
                && writtenMillis(proven.copies(last + 1)) <= untilMillis) {
            last++;
        }
        return last;
    }

    /**
     * When the first entry behind the last readable one was written that may have been committed
     * and is not known to be; {@link Long#MAX_VALUE}: there is none.
     */
    public long openSinceMillis() {
        return openSinceMillis;
    }

    /** When an entry was written first, by the clocks of WAL nodes; 0: not known. */
    public long writtenMillis(long index) {
        return writtenMillis(proven.copies(index));
    }

    /** What could not be read on the way here. */
    public List<String> problems() {
        return problems;
    }

    /**
     * The index that ends the log as it was at a time: no entry up to it is known to have been
     * written later. 0 when every entry was.
     *
     * @param wallMillis by the clocks of the WAL nodes
     */
    public long indexAt(long wallMillis) {
        if (proven.isEmpty()) {
            return 0;
        }
        long index = proven.first() - 1;
        while (index < committed && writtenMillis(proven.copies(index + 1)) <= wallMillis) {
            index++;
        }
        return index < proven.first() ? 0 : index;
    }

    private static long writtenMillis(List<Copy> copies) {
        return copies.stream()
                .mapToLong(Copy::wallMillis)
                .filter(millis -> millis > 0)
                .min()
                .orElse(0);
    }

    /**
     * The first entry from {@code from} to {@code to} that cannot be read, both inclusive; 0 when
     * all can.
     */
    public long firstMissing(long from, long to) {
        for (long index = from; index <= to; index++) {
            if (proven.copies(index).isEmpty()) {
                return index;
            }
        }
        return 0;
    }

    /**
     * Gives out the entries from {@code from} to {@code to}, both inclusive, in order.
     *
     * @throws ArchiveException HOLE before the first is given out, when one is missing; DAMAGED
     *     when no copy of one is whole
     */
    public void read(long from, long to, Consumer<ArchivedEntry> sink) {
        long missing = firstMissing(from, to);
        if (missing != 0) {
            throw hole(missing, to);
        }
        List<Copy> run = new ArrayList<>();
        for (long index = from; index <= to; index++) {
            Copy copy = proven.copies(index).get(0);
            if (!run.isEmpty() && !continues(run, copy)) {
                give(run, sink);
            }
            run.add(copy);
        }
        give(run, sink);
    }

    /** The indexes of the entries of a kind that can be read, in order. */
    public List<Long> ofKind(EntryKind kind) {
        return proven.ofKind(kind.getNumber());
    }

    /**
     * An entry with all its parts. Throws as {@link #read}.
     *
     * @param index of the last part, which has the kind
     */
    public Entry whole(long index) {
        long first = index;
        while (isPart(first - 1)) {
            first--;
        }
        EntryAssembler parts = new EntryAssembler();
        List<Entry> whole = new ArrayList<>();
        read(
                first,
                index,
                entry -> {
                    Entry joined = parts.add(entry.entry());
                    if (joined != null) {
                        whole.add(joined);
                    }
                });
        return whole.get(whole.size() - 1);
    }

    private boolean isPart(long index) {
        List<Copy> copies = proven.copies(index);
        return !copies.isEmpty() && copies.get(0).kind() == EntryKind.PART_VALUE;
    }

    private ArchiveException hole(long missing, long to) {
        long end = missing;
        while (end < to && proven.copies(end + 1).isEmpty()) {
            end++;
        }
        String what =
                end > committed
                        ? " are not known to be committed"
                        : " are in no object that could be read";
        return new ArchiveException(
                ArchiveException.Kind.HOLE,
                "region " + regionId + ": entries " + missing + " to " + end + what + problems);
    }

    private static boolean continues(List<Copy> run, Copy next) {
        Copy first = run.get(0);
        Copy last = run.get(run.size() - 1);
        return next.object().equals(first.object())
                && next.dataAt() == last.dataAt() + last.dataLength()
                && next.dataAt() + next.dataLength() - first.dataAt() <= READ_BYTES_MAX;
    }

    /** Reads neighbours at once, and one by one what is not whole there. */
    private void give(List<Copy> run, Consumer<ArchivedEntry> sink) {
        if (run.isEmpty()) {
            return;
        }
        Copy first = run.get(0);
        Copy last = run.get(run.size() - 1);
        int length = (int) (last.dataAt() + last.dataLength() - first.dataAt());
        byte[] bytes = range(first.object(), first.dataAt(), length);
        for (Copy copy : run) {
            int at = (int) (copy.dataAt() - first.dataAt());
            boolean whole =
                    bytes.length == length
                            && Checksums.crc32c(bytes, at, copy.dataLength()) == copy.dataCrc();
            ByteString data =
                    whole ? ByteString.copyFrom(bytes, at, copy.dataLength()) : other(copy);
            sink.accept(
                    new ArchivedEntry(
                            Entry.newBuilder()
                                    .setIndex(copy.index())
                                    .setTerm(copy.term())
                                    .setKindValue(copy.kind())
                                    .setData(data)
                                    .build(),
                            writtenMillis(proven.copies(copy.index()))));
        }
        run.clear();
    }

    private ByteString other(Copy bad) {
        for (Copy copy : proven.copies(bad.index())) {
            byte[] bytes = range(copy.object(), copy.dataAt(), copy.dataLength());
            boolean whole =
                    bytes.length == copy.dataLength() && Checksums.crc32c(bytes) == copy.dataCrc();
            if (whole) {
                return ByteString.copyFrom(bytes);
            }
        }
        throw ArchiveException.damaged(
                bad.object(),
                "no copy of entry " + bad.index() + " of region " + regionId + " is whole");
    }

    /** Nothing when the object is gone or damaged. */
    private byte[] range(String object, long offset, int length) {
        if (length == 0) {
            return new byte[0];
        }
        try {
            return cluster.getRange(object, offset, length);
        } catch (ObjectStoreException e) {
            if (e.kind() != Kind.CORRUPT && e.kind() != Kind.NOT_FOUND) {
                throw e;
            }
            return new byte[0];
        }
    }
}
