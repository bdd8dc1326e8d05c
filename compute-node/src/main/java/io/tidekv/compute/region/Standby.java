package io.tidekv.compute.region;

import io.tidekv.common.codec.EntryAssembler;
import io.tidekv.compute.tablet.PreparedRecord;
import io.tidekv.proto.cluster.Follow;
import io.tidekv.proto.cluster.StandbyReport;
import io.tidekv.proto.region.Entry;
import io.tidekv.proto.wal.TailResponse;
import io.tidekv.wal.client.WalLink;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A warm copy of a region that another store leads. Follows the committed log at one voter, opens
 * the tablet at the newest record that the log names, applies what comes after it, and opens it
 * anew when a newer record is committed. Flushes and publishes nothing; never delays the leader: it
 * asks for the next entries when it has applied those before. Belongs to the region's loop.
 */
final class Standby {
    private static final Logger log = LoggerFactory.getLogger(Standby.class);
    private static final long RETRY_NANOS = 1_000_000_000L;

    /**
     * Entries kept for the next opening; a log without records that grows beyond is not followed.
     */
    private static final long KEPT_BYTES_MAX = 128L << 20;

    private final RegionEnv env;
    private final RegionLoop loop;
    private final Follow order;
    private final TabletWork openers;
    private WalLink.@Nullable Following stream;
    // Counts connections: what an earlier one still says is ignored.
    private long connection;
    private int attempts;
    private long retryNanos;
    // Behind the last entry of the tail.
    private final EntryAssembler parts = new EntryAssembler();
    private @Nullable LogTail tail;
    private @Nullable WarmTablet warm;
    private @Nullable LogApplier applier;
    // Come since an opening began, for the tablet that it will bring.
    private final Deque<Entry> behind = new ArrayDeque<>();
    private StandbyReport reported = StandbyReport.getDefaultInstance();
    private long reportedNanos;
    private boolean opening;
    private boolean asked;
    private boolean ended;

    Standby(RegionEnv env, RegionLoop loop, Follow order) {
        this.env = env;
        this.loop = loop;
        this.order = order;
        this.openers = new TabletWork(env.openers(), loop::execute);
        this.retryNanos = env.nowNanos();
        this.reportedNanos = env.nowNanos() - RETRY_NANOS;
    }

    long id() {
        return order.getShape().getRegionId();
    }

    /** Connects, retries, and brings the report up to date. */
    void tick() {
        boolean due = env.nowNanos() - retryNanos >= 0;
        if (due && tail != null && tail.record() == null && !opening) {
            // The first record may be one that only a snapshot names.
            restart();
        }
        if (stream == null && due) {
            connect();
        }
        LogApplier applied = applier;
        boolean lags = applied != null && !applied.isDone();
        boolean news = reported.getReady() != isReady();
        if (!lags && !news && env.nowNanos() - reportedNanos < RETRY_NANOS) {
            return;
        }
        progress();
        report();
    }

    /** Not while it opens at a newer record: what is open stands still meanwhile. */
    private boolean isReady() {
        LogApplier applied = applier;
        return warm != null && applied != null && applied.isDone() && !opening;
    }

    private void connect() {
        retryNanos = env.nowNanos() + RETRY_NANOS;
        List<Long> nodes = new ArrayList<>(order.getConfig().getWalIdsList());
        nodes.retainAll(loop.connectedNodes());
        if (nodes.isEmpty()) {
            return;
        }
        long node = nodes.get(attempts++ % nodes.size());
        LogTail known = tail;
        long from = known == null ? 1 : known.lastIndex() + 1;
        connection++;
        asked = true;
        parts.clear();
        stream = loop.follow(node, id(), from, new Stream(connection));
    }

    /** Brings what a connection says to the loop. */
    private final class Stream implements WalLink.Follower {
        private final long of;

        Stream(long of) {
            this.of = of;
        }

        @Override
        public void onEntries(TailResponse response) {
            loop.execute(
                    () -> {
                        if (of == connection) {
                            guarded(() -> entries(response));
                        }
                    });
        }

        @Override
        public void onEnd(String reason) {
            loop.execute(
                    () -> {
                        if (of == connection) {
                            log.debug("region {} is not followed now: {}", id(), reason);
                            stream = null;
                        }
                    });
        }
    }

    private void guarded(Runnable step) {
        if (ended) {
            return;
        }
        try {
            step.run();
        } catch (RuntimeException e) {
            log.warn("standby of region {} begins anew", id(), e);
            restart();
        }
    }

    private void restart() {
        disconnect();
        drop();
        tail = null;
        behind.clear();
        retryNanos = env.nowNanos() + RETRY_NANOS;
    }

    private void entries(TailResponse response) {
        asked = false;
        LogTail known = tail;
        if (response.hasSnapshot() && (known == null || isBehind(known, response))) {
            // What lies between is gone from the log: its record has it.
            drop();
            behind.clear();
            parts.clear();
            known = new LogTail(response.getSnapshot());
        } else if (known == null) {
            known = new LogTail();
        }
        tail = known;
        List<Entry> entries = parts.addAll(response.getEntriesList());
        known.add(entries);
        if (known.bytes() > KEPT_BYTES_MAX) {
            throw new IllegalStateException("the log has grown too long without a record");
        }
        if (opening || warm == null) {
            behind.addAll(opening ? entries : List.of());
        } else if (applier != null) {
            applier.add(entries);
        }
        progress();
    }

    private static boolean isBehind(LogTail known, TailResponse response) {
        return known.lastIndex() < response.getSnapshot().getIndex();
    }

    /** Applies, opens if there is a newer record, asks for more. */
    private void progress() {
        if (ended) {
            return;
        }
        LogTail known = tail;
        WarmTablet open = warm;
        if (known != null && known.record() != null && !opening && !stands(open, known)) {
            open(known.copy());
        }
        boolean done = opening ? behind.size() < 10_000 : applier == null || applier.drain();
        WalLink.Following from = stream;
        if (done && !asked && from != null) {
            asked = true;
            from.next();
        }
    }

    private static boolean stands(@Nullable WarmTablet open, LogTail known) {
        PreparedRecord base = open == null ? null : open.tablet().base();
        return base != null && base.ref().equals(known.record());
    }

    private void open(LogTail whole) {
        opening = true;
        behind.clear();
        if (reported.getReady()) {
            report();
        }
        openers.run(
                () -> TabletOpening.open(env.tablets(), order.getShape(), whole, null, env::pause),
                this::opened);
    }

    private void opened(TabletOpening.@Nullable Opened opened, @Nullable Throwable error) {
        opening = false;
        if (opened != null) {
            env.tabletsOpen().incrementAndGet();
        }
        if (ended || tail == null) {
            if (opened != null) {
                env.close(opened.tablet());
            }
            return;
        }
        guarded(
                () -> {
                    if (opened == null) {
                        throw new IllegalStateException("its tablet cannot be opened", error);
                    }
                    drop();
                    warm = new WarmTablet(opened.tablet(), opened.machine());
                    LogApplier next =
                            new LogApplier(opened.machine(), opened.tablet(), (entry, what) -> {});
                    next.add(List.copyOf(behind));
                    behind.clear();
                    applier = next;
                    progress();
                    report();
                });
    }

    private void report() {
        if (ended) {
            return;
        }
        StandbyReport.Builder report = StandbyReport.newBuilder().setRegionId(id());
        WarmTablet open = warm;
        LogApplier applied = applier;
        if (open != null && applied != null) {
            PreparedRecord base = open.tablet().base();
            report.setReady(isReady())
                    .setHydrated(open.tablet().hydrated())
                    .setAppliedIndex(open.applied().index())
                    .setRecordIndex(base == null ? 0 : base.record().getAppliedIndex());
        }
        reported = report.build();
        reportedNanos = env.nowNanos();
        env.directory().standby(reported);
    }

    /**
     * Ends, for the region is led here from now on. Returns the tablet if it can be gone on with;
     * the caller closes it then.
     */
    @Nullable WarmTablet take() {
        WarmTablet open = warm;
        LogApplier applied = applier;
        boolean good = open != null && applied != null && applied.isDone() && open.isCurrent();
        if (good) {
            warm = null;
        }
        end();
        return good ? open : null;
    }

    /** Ends and closes. */
    void end() {
        if (!ended) {
            ended = true;
            disconnect();
            drop();
            env.directory().noStandby(id());
        }
    }

    private void disconnect() {
        WalLink.Following from = stream;
        stream = null;
        connection++;
        if (from != null) {
            from.close();
        }
    }

    private void drop() {
        WarmTablet open = warm;
        warm = null;
        applier = null;
        if (open != null) {
            env.close(open.tablet());
        }
    }
}
