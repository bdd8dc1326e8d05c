package io.tidekv.compute.region.log;

import com.google.protobuf.ByteString;
import io.tidekv.common.time.Clock;
import io.tidekv.proto.cluster.VoterChange;
import io.tidekv.proto.region.Entry;
import io.tidekv.proto.region.EntryKind;
import io.tidekv.proto.region.Origin;
import io.tidekv.proto.region.Snapshot;
import io.tidekv.proto.region.VoterConfig;
import java.util.Collection;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The durable log of one region, in the hands of its owner of one term. Opening it fences the
 * owners of lower terms; then the tail is recovered, and the log is appended to, read and trimmed.
 * One object serves one term and is then thrown away.
 *
 * <p>A position is a number above 0 that grows from entry to entry, over all owners; nothing else
 * may be made of it. An entry also bears the mark ({@code Entry.term}) of the owner that wrote it:
 * it is kept beside the position in records and handed back by {@link #trimTo}, and never compared.
 *
 * <p>Nothing here waits. Calls come from one thread, which calls {@link #tick} every 100 ms, or 20
 * ms while the log is opened, and {@link #send} after each round of other calls; what the log hears
 * from outside reaches it by its implementation, on the same thread.
 */
public interface RegionLog {
    /** Where the log is in its life; it only moves forward, and may skip. */
    enum Stage {
        /** Earlier owners are not fenced yet. */
        OPENING,
        /** They are; the tail is recovered, and what is known of it can be read. */
        RECOVERING,
        /** The whole tail can be read; entries are taken. */
        LEADING,
        /** Takes no entries and covers no reads any more; gives the region back. */
        RELEASING,
        /** Another owner can be let in without delay. */
        RELEASED,
        /** A later owner is in force: what was not read has an unknown fate. */
        FENCED,
        /** Cannot be recovered or continued in this term; a new term may do better. */
        FAILED
    }

    long regionId();

    /** The owner's term: PD gives each to one process. */
    long term();

    /** Begins; nothing is sent before. */
    void open(Clock.Reading now);

    Stage stage();

    /** Why the log is RELEASING or beyond; empty before. */
    String reason();

    /** Timers. */
    void tick(Clock.Reading now);

    /** Sends what was appended and asked since the last time. */
    void send(Clock.Reading now);

    /**
     * Whether nothing is under way or to be repeated: until the next call of another kind neither
     * {@link #tick} nor {@link #send} would do anything.
     */
    boolean atRest();

    /**
     * Puts an entry at the end and returns its position. It is durable when {@link #read} returns
     * it. The payload is not copied.
     *
     * @throws AppendRefused with the reason
     */
    long append(EntryKind kind, ByteString data);

    /**
     * Where the log begins: the entries after {@code index} are there, the record holds what came
     * before. May move while others trim. From RECOVERING on.
     */
    Snapshot start();

    /** Everything up to this position is durable for good; the last of it may yet be unread. */
    long committed();

    /** The position that {@link #read} has returned last, or behind which it begins. */
    long readTo();

    /**
     * The durable entries behind {@link #readTo()}, in order; at first those behind the start. May
     * be empty although there are more, which are fetched meanwhile. When the start has passed
     * {@link #readTo()} the entries between may be gone.
     */
    List<Entry> read();

    /** Makes {@link #read} go on behind a position in [start, committed]. */
    void seek(long position);

    /** Advice: what {@code start.record} holds will not be asked for again. */
    void trimTo(Snapshot start);

    /** Under what the applied state may be read; null: ask with {@link #requestConfirm}. */
    @Nullable LogLease lease();

    /**
     * Asks whether this is still the owner; the question leaves with the next {@link #send}.
     * Returns a token for {@link #confirmed}.
     *
     * @throws AppendRefused NOT_LEADING before or after LEADING
     */
    long requestConfirm(Clock.Reading now);

    /** Whether it was the owner at some time after the request. Never after LEADING. */
    boolean confirmed(long token);

    /** Takes nothing more, waits for what is under way, then lets others in. */
    void release(Clock.Reading now);

    /** How the region came to be, if that is known; from RECOVERING on it is. */
    @Nullable Origin origin();

    /** The WAL nodes that keep the log, for PD; empty when the log sees to that by itself. */
    VoterConfig voters();

    /**
     * The change of {@link #voters()} that is under way or was refused; null when there is none.
     */
    @Nullable VoterChange voterChange();

    /** PD's order for other {@link #voters()}, and of nodes that are to forget the region. */
    void changeVoters(VoterConfig target, Collection<Long> retire);
}
