package io.tidekv.compute.region.log;

import com.google.protobuf.ByteString;
import io.tidekv.common.Invariants;
import io.tidekv.common.time.Clock;
import io.tidekv.proto.cluster.VoterChange;
import io.tidekv.proto.region.Entry;
import io.tidekv.proto.region.EntryKind;
import io.tidekv.proto.region.Origin;
import io.tidekv.proto.region.Snapshot;
import io.tidekv.proto.region.VoterConfig;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A region's log that needs no WAL node: the owners of one region share a {@link Shelf}. What is
 * sent is durable at once. One thread for all owners of a shelf.
 */
public final class MemoryRegionLog implements RegionLog {
    /** Where the entries stand, whoever owns them; positions are not dense, on purpose. */
    public static final class Shelf {
        private static final int STRIDE = 3;

        private final List<Entry> entries = new ArrayList<>();
        private Snapshot start = Snapshot.getDefaultInstance();
        private long term;
        private long last;

        private Entry add(long mark, EntryKind kind, ByteString data) {
            last += STRIDE;
            return Entry.newBuilder()
                    .setIndex(last)
                    .setTerm(mark)
                    .setKind(kind)
                    .setData(data)
                    .build();
        }
    }

    private final Shelf shelf;
    private final long regionId;
    private final long term;
    private final List<Entry> unsent = new ArrayList<>();
    private Stage stage = Stage.OPENING;
    private String reason = "";
    private long readTo;
    private long asked;
    private long answered;

    public MemoryRegionLog(Shelf shelf, long regionId, long term) {
        this.shelf = shelf;
        this.regionId = regionId;
        this.term = term;
    }

    @Override
    public long regionId() {
        return regionId;
    }

    @Override
    public long term() {
        return term;
    }

    @Override
    public void open(Clock.Reading now) {
        if (shelf.term >= term) {
            end(Stage.FENCED, "term " + shelf.term + " is in force");
            return;
        }
        shelf.term = term;
        shelf.entries.add(shelf.add(term, EntryKind.NOOP, ByteString.EMPTY));
        readTo = shelf.start.getIndex();
        stage = Stage.LEADING;
    }

    private void end(Stage last, String why) {
        stage = last;
        reason = why;
    }

    @Override
    public Stage stage() {
        if (stage == Stage.LEADING && shelf.term > term) {
            end(Stage.FENCED, "term " + shelf.term + " is in force");
        }
        return stage;
    }

    @Override
    public String reason() {
        return reason;
    }

    @Override
    public void tick(Clock.Reading now) {
        send(now);
    }

    @Override
    public void send(Clock.Reading now) {
        if (stage() == Stage.LEADING) {
            shelf.entries.addAll(unsent);
            unsent.clear();
            answered = asked;
        }
    }

    @Override
    public boolean atRest() {
        return stage() == Stage.LEADING && unsent.isEmpty() && readTo == committed();
    }

    @Override
    public long append(EntryKind kind, ByteString data) {
        requireLeading();
        Entry entry = shelf.add(term, kind, data);
        unsent.add(entry);
        return entry.getIndex();
    }

    private void requireLeading() {
        if (stage() != Stage.LEADING) {
            throw new AppendRefused(AppendRefused.Reason.NOT_LEADING, "the log is " + stage);
        }
    }

    @Override
    public Snapshot start() {
        return shelf.start;
    }

    @Override
    public long committed() {
        int count = shelf.entries.size();
        return count == 0 ? shelf.start.getIndex() : shelf.entries.get(count - 1).getIndex();
    }

    @Override
    public long readTo() {
        return readTo;
    }

    @Override
    public List<Entry> read() {
        List<Entry> next = new ArrayList<>();
        for (Entry entry : shelf.entries) {
            if (entry.getIndex() > readTo && stage() != Stage.FENCED) {
                next.add(entry);
            }
        }
        readTo = next.isEmpty() ? readTo : committed();
        return next;
    }

    @Override
    public void seek(long position) {
        Invariants.check(
                position >= shelf.start.getIndex() && position <= committed(),
                "position %s is not in the log",
                position);
        readTo = position;
    }

    @Override
    public void trimTo(Snapshot start) {
        if (stage() == Stage.LEADING && start.getIndex() > shelf.start.getIndex()) {
            shelf.start = start;
            shelf.entries.removeIf(entry -> entry.getIndex() <= start.getIndex());
        }
    }

    @Override
    public @Nullable LogLease lease() {
        return null;
    }

    @Override
    public long requestConfirm(Clock.Reading now) {
        requireLeading();
        return ++asked;
    }

    @Override
    public boolean confirmed(long token) {
        return stage() == Stage.LEADING && answered >= token;
    }

    @Override
    public void release(Clock.Reading now) {
        if (stage() == Stage.LEADING) {
            send(now);
            end(Stage.RELEASED, "released in order");
        }
    }

    @Override
    public @Nullable Origin origin() {
        return null;
    }

    @Override
    public VoterConfig voters() {
        return VoterConfig.getDefaultInstance();
    }

    @Override
    public @Nullable VoterChange voterChange() {
        return null;
    }

    @Override
    public void changeVoters(VoterConfig target, Collection<Long> retire) {
        // There are none.
    }
}
