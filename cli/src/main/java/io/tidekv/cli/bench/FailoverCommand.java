package io.tidekv.cli.bench;

import com.google.protobuf.ByteString;
import io.tidekv.cli.CliException;
import io.tidekv.cli.Console;
import io.tidekv.cli.Json;
import io.tidekv.cli.client.KvClient;
import io.tidekv.cli.client.RawKv;
import io.tidekv.common.time.Clock;
import io.tidekv.common.time.SystemClock;
import io.tidekv.proto.cluster.ListRegionsRequest;
import io.tidekv.proto.cluster.ListStoresRequest;
import io.tidekv.proto.cluster.RegionInfo;
import io.tidekv.proto.cluster.RegionState;
import io.tidekv.proto.kvrpcpb.KvPair;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code tidekv bench failover}. */
@Command(
        name = "failover",
        description = {
            "Kill (-9) the store that leads a region, again and again, while the region is written:",
            "for how long was no write acknowledged, and is every acknowledged one still there?",
            "Needs a `tidekv playground --processes --compute 3`, and with",
            "--set pd.schedule.standbys=1 there is a warm standby. Exit code 1 when a write is lost."
        })
final class FailoverCommand implements Callable<Integer> {
    private static final long TIMEOUT_MILLIS = 10_000;
    private static final long PATIENCE_MILLIS = 120_000;
    private static final long POLL_MILLIS = 100;
    private static final int PAGE = 1000;

    @Mixin private KilledStoresOption playground = new KilledStoresOption();

    @Option(names = "--kills", description = "How often (default ${DEFAULT-VALUE}).")
    private int kills = 20;

    @Option(names = "--rate", description = "Writes per second (default ${DEFAULT-VALUE}).")
    private double rate = 200;

    @Option(
            names = "--settle",
            description = {
                "Seconds between the return of the killed store and the next kill, in which a",
                "standby gets ready (default ${DEFAULT-VALUE})."
            })
    private double settle = 5;

    @Option(names = "--json", description = "Print JSON.")
    private boolean json;

    private final Console console;
    private final Clock clock = SystemClock.INSTANCE;
    private final BitSet acknowledged = new BitSet();

    FailoverCommand(Console console) {
        this.console = console;
    }

    @Override
    public Integer call() throws Exception {
        if (kills < 1 || rate <= 0 || settle < 0) {
            throw new CliException("--kills and --rate must be above 0, --settle not below");
        }
        KilledStores stores = playground.open();
        try (KvClient client = new KvClient(stores.pd(), false)) {
            RawKv kv = new RawKv(client);
            ByteString prefix = ByteString.copyFromUtf8("\0bench-failover-" + clock.wallMillis());
            List<Double> gaps = new ArrayList<>();
            PacedWrites writes = new PacedWrites(n -> put(kv, prefix, n), rate, clock);
            try (writes) {
                awaitWrites(writes, 2 * (long) rate);
                for (int i = 0; i < kills; i++) {
                    gaps.add(kill(client, stores, prefix, writes, i + 1));
                }
            }
            return report(gaps, writes, lost(kv, prefix));
        } finally {
            stores.close();
        }
    }

    private CompletableFuture<Void> put(RawKv kv, ByteString prefix, long number) {
        return kv.put(key(prefix, number), ByteString.copyFromUtf8("value"), 0)
                .thenRun(
                        () -> {
                            synchronized (acknowledged) {
                                acknowledged.set((int) number);
                            }
                        });
    }

    private static ByteString key(ByteString prefix, long number) {
        return prefix.concat(ByteString.copyFromUtf8(String.format(Locale.ROOT, "/%09d", number)));
    }

    /** Milliseconds without an acknowledgement. */
    private double kill(
            KvClient client, KilledStores stores, ByteString key, PacedWrites writes, int number)
            throws Exception {
        long owner = owner(client, key).getOwner().getStoreId();
        long before = writes.done();
        writes.takeGapMillis();
        stores.kill(owner);
        awaitWrites(writes, before + (long) Math.max(20, rate / 2));
        double gap = writes.takeGapMillis();
        long now = owner(client, key).getOwner().getStoreId();
        if (now == owner) {
            throw new CliException("the store " + owner + " still leads: was it killed?");
        }
        if (!json) {
            console.line(
                    String.format(
                            Locale.ROOT,
                            "kill %3d  store %d -> %d  no write for %.0f ms",
                            number,
                            owner,
                            now,
                            gap));
        }
        stores.startAgain(owner);
        awaitUp(client, owner);
        pause((long) (settle * 1000));
        return gap;
    }

    /** The region of the key, once it is led. */
    private RegionInfo owner(KvClient client, ByteString key) throws InterruptedException {
        for (long waited = 0; waited < PATIENCE_MILLIS; waited += POLL_MILLIS) {
            for (RegionInfo region :
                    client.pd()
                            .cluster(
                                    TIMEOUT_MILLIS,
                                    c -> c.listRegions(ListRegionsRequest.getDefaultInstance()))
                            .getRegionsList()) {
                ByteString start = region.getShape().getStartKey();
                ByteString end = region.getShape().getEndKey();
                var order = ByteString.unsignedLexicographicalComparator();
                if (order.compare(start, key) <= 0
                        && (end.isEmpty() || order.compare(key, end) < 0)
                        && region.getState() == RegionState.LEADING) {
                    return region;
                }
            }
            pause(POLL_MILLIS);
        }
        throw new CliException("the region is not led");
    }

    /** Without it the next kill could be that of the last store. */
    private static void awaitUp(KvClient client, long store) throws InterruptedException {
        for (long waited = 0; waited < PATIENCE_MILLIS; waited += POLL_MILLIS) {
            boolean up =
                    client
                            .pd()
                            .cluster(
                                    TIMEOUT_MILLIS,
                                    c -> c.listStores(ListStoresRequest.getDefaultInstance()))
                            .getStoresList()
                            .stream()
                            .anyMatch(
                                    s ->
                                            s.getOwner().getStoreId() == store
                                                    && s.getState().equals("Up"));
            if (up) {
                return;
            }
            pause(POLL_MILLIS);
        }
        throw new CliException("the store " + store + " does not come back");
    }

    private static void awaitWrites(PacedWrites writes, long count) throws InterruptedException {
        for (long waited = 0; writes.done() < count; waited += POLL_MILLIS) {
            if (waited > PATIENCE_MILLIS) {
                throw new CliException("no writes are acknowledged any more");
            }
            pause(POLL_MILLIS);
        }
    }

    private static void pause(long millis) throws InterruptedException {
        new CountDownLatch(1).await(millis, TimeUnit.MILLISECONDS);
    }

    /** Acknowledged writes that are not there. */
    private int lost(RawKv kv, ByteString prefix) {
        BitSet missing;
        synchronized (acknowledged) {
            missing = (BitSet) acknowledged.clone();
        }
        ByteString end = prefix.concat(ByteString.copyFromUtf8("0"));
        ByteString from = prefix;
        List<KvPair> page;
        do {
            page = kv.scan(from, end, PAGE).join();
            for (KvPair pair : page) {
                String text = pair.getKey().substring(prefix.size() + 1).toStringUtf8();
                missing.clear(Integer.parseInt(text));
                from = pair.getKey().concat(ByteString.copyFrom(new byte[1]));
            }
        } while (page.size() == PAGE);
        return missing.cardinality();
    }

    private int report(List<Double> gaps, PacedWrites writes, int lost) {
        List<Double> sorted = gaps.stream().sorted().toList();
        double p50 = sorted.get((sorted.size() - 1) / 2);
        double max = sorted.get(sorted.size() - 1);
        if (json) {
            Map<String, Object> line = new LinkedHashMap<>();
            line.put("kills", gaps.size());
            line.put("gap_ms", gaps.stream().map(Math::round).toList());
            line.put("gap_p50_ms", Math.round(p50));
            line.put("gap_max_ms", Math.round(max));
            line.put("writes", writes.done());
            line.put("lost", lost);
            console.line(Json.line(line));
        } else {
            console.line(
                    String.format(
                            Locale.ROOT,
                            "%d kills: no write for p50 %.0f  max %.0f ms; %d writes acknowledged,"
                                    + " %d of them lost",
                            gaps.size(),
                            p50,
                            max,
                            writes.done(),
                            lost));
        }
        return lost == 0 ? 0 : 1;
    }
}
