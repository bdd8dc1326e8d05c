package io.tidekv.compute.region;

import io.tidekv.common.codec.EntryAssembler;
import io.tidekv.proto.region.Entry;
import io.tidekv.proto.region.EntryKind;
import io.tidekv.proto.region.SplitOrigin;
import io.tidekv.proto.wal.TailResponse;
import io.tidekv.wal.client.WalLink;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/**
 * Reads what a region wrote before a split, for a child of that split that has not published yet
 * and is opened away from its parent. Any node that has the parent's log will do, for only what is
 * committed is told. Belongs to the child's loop.
 */
final class ParentLog implements WalLink.Follower {
    private static final long DEADLINE_NANOS = 3_000_000_000L;

    /**
     * What was read.
     *
     * @param afterIndex entries up to here are gone from the log
     * @param writes after that and before the split, in order
     */
    record Inherited(long parentRegionId, long afterIndex, List<Entry> writes) {}

    private final RegionEnv env;
    private final RegionLoop loop;
    private final SplitOrigin origin;
    private final BiConsumer<@Nullable Inherited, @Nullable Throwable> then;
    private final List<Entry> writes = new ArrayList<>();
    private final EntryAssembler parts = new EntryAssembler();
    private long afterIndex;
    private long deadlineNanos;
    private WalLink.@Nullable Following stream;
    private boolean over;

    /** {@code then} gets the result, or why there is none; on the loop. */
    ParentLog(
            RegionEnv env,
            RegionLoop loop,
            SplitOrigin origin,
            BiConsumer<@Nullable Inherited, @Nullable Throwable> then) {
        this.env = env;
        this.loop = loop;
        this.origin = origin;
        this.then = then;
    }

    /** Asks one of the connected nodes; each attempt another. */
    void start(int attempt) {
        deadlineNanos = env.nowNanos() + DEADLINE_NANOS;
        List<Long> nodes = List.copyOf(loop.connectedNodes());
        if (nodes.isEmpty()) {
            end(null, Failures.unavailable(origin.getParentRegionId(), "no WAL node answers"));
            return;
        }
        long node = nodes.get(attempt % nodes.size());
        stream = loop.follow(node, origin.getParentRegionId(), 1, this);
    }

    @Override
    public void onEntries(TailResponse response) {
        loop.execute(() -> take(response));
    }

    @Override
    public void onEnd(String reason) {
        loop.execute(
                () ->
                        end(
                                null,
                                Failures.unavailable(
                                        origin.getParentRegionId(),
                                        "its log cannot be read for a child: " + reason)));
    }

    private void take(TailResponse response) {
        if (over) {
            return;
        }
        if (response.hasSnapshot()) {
            afterIndex = response.getSnapshot().getIndex();
            writes.clear();
            parts.clear();
        }
        boolean complete = afterIndex >= origin.getSplitIndex();
        for (Entry entry : parts.addAll(response.getEntriesList())) {
            complete |= entry.getIndex() >= origin.getSplitIndex();
            if (!complete && entry.getKind() == EntryKind.WRITE) {
                writes.add(entry);
            }
        }
        WalLink.Following from = stream;
        if (complete) {
            end(new Inherited(origin.getParentRegionId(), afterIndex, writes), null);
        } else if (from != null) {
            from.next();
        }
    }

    void tick() {
        if (env.nowNanos() - deadlineNanos > 0) {
            end(
                    null,
                    Failures.unavailable(
                            origin.getParentRegionId(), "its log has not told of the split"));
        }
    }

    private void end(@Nullable Inherited result, @Nullable Throwable error) {
        if (!over) {
            close();
            then.accept(result, error);
        }
    }

    void close() {
        over = true;
        WalLink.Following from = stream;
        stream = null;
        if (from != null) {
            from.close();
        }
    }
}
