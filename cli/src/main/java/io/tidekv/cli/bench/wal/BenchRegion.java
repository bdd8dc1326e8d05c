package io.tidekv.cli.bench.wal;

import com.google.protobuf.ByteString;
import io.tidekv.common.time.Clock;
import io.tidekv.compute.region.core.LeaderPhase;
import io.tidekv.compute.region.core.RegionLeader;
import io.tidekv.proto.region.Entry;
import io.tidekv.proto.region.EntryKind;
import io.tidekv.proto.region.Snapshot;
import java.util.ArrayDeque;
import org.HdrHistogram.Histogram;

/** One region's leader and the clients that append to it, each waiting for its own append. */
final class BenchRegion {
    /** Where a store would have published long ago: the log is trimmed. */
    private static final long TRIM_BYTES = 8L << 20;

    final RegionLeader leader;
    private final int clients;
    private final ByteString value;
    // When each append under way began; they are committed in this order.
    private final ArrayDeque<Long> began = new ArrayDeque<>();
    private long untrimmedBytes;
    private Entry last = Entry.getDefaultInstance();

    BenchRegion(RegionLeader leader, int clients, ByteString value) {
        this.leader = leader;
        this.clients = clients;
        this.value = value;
    }

    /** Lets the clients whose append has ended, and those who wait, append again. */
    void propose(Clock clock) {
        if (leader.phase() == LeaderPhase.LEADING) {
            while (began.size() < clients) {
                began.add(clock.monotonicNanos());
                leader.propose(EntryKind.WRITE, value);
            }
        }
    }

    /** Takes what is committed; {@code micros} is told how long each append took. */
    void take(Histogram micros, Clock clock) {
        for (Entry entry : leader.takeCommitted()) {
            if (entry.getKind() == EntryKind.WRITE) {
                micros.recordValue((clock.monotonicNanos() - began.remove()) / 1000);
                untrimmedBytes += entry.getData().size() + 64;
            }
            last = entry;
            if (untrimmedBytes > TRIM_BYTES) {
                trim();
            }
        }
    }

    /** Lets the voters drop all that was taken. */
    void trim() {
        untrimmedBytes = 0;
        leader.moveSnapshot(
                Snapshot.newBuilder().setIndex(last.getIndex()).setTerm(last.getTerm()).build());
    }

    /** Whether the voters have done so, and nothing else is under way. */
    boolean atRest() {
        return leader.atRest();
    }

    boolean isLeading() {
        return leader.phase() == LeaderPhase.LEADING;
    }

    /** Whether every append has ended. */
    boolean isDrained() {
        return began.isEmpty();
    }
}
