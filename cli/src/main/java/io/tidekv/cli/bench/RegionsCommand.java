package io.tidekv.cli.bench;

import com.google.protobuf.ByteString;
import io.tidekv.cli.CliException;
import io.tidekv.cli.Console;
import io.tidekv.cli.client.KvClient;
import io.tidekv.cli.client.RawKv;
import io.tidekv.common.Randomness;
import io.tidekv.common.time.Clock;
import io.tidekv.common.time.SystemClock;
import io.tidekv.proto.cluster.ListRegionsRequest;
import io.tidekv.proto.cluster.RegionInfo;
import io.tidekv.proto.cluster.RegionState;
import io.tidekv.proto.cluster.SplitRegionRequest;
import io.tidekv.proto.kvrpcpb.KvPair;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code tidekv bench regions}. */
@Command(
        name = "regions",
        description = {
            "Make many regions of a row each, and see what they cost: memory and threads of each",
            "store when most of them hibernate, the time until they have another owner when a store",
            "is killed (-9), and until a store that comes back has its share, while some regions are",
            "written; or, with --steady, only what they cost while they are written. Needs a",
            "`tidekv playground --processes --compute 2`; with",
            "--set compute.region.tablet-idle=20s the tablets close sooner."
        })
final class RegionsCommand implements Callable<Integer> {
    private static final long TIMEOUT_MILLIS = 120_000;
    private static final long PATIENCE_MILLIS = 900_000;
    private static final long POLL_MILLIS_MIN = 100;
    private static final int BATCH = 50;
    private static final ByteString PREFIX = ByteString.copyFromUtf8("\0bench-regions/");

    @Mixin private KilledStoresOption playground = new KilledStoresOption();

    @Option(names = "--regions", description = "How many (default ${DEFAULT-VALUE}).")
    private int regions = 2000;

    @Option(names = "--rate", description = "Writes per second (default ${DEFAULT-VALUE}).")
    private double rate = 50;

    @Option(
            names = "--active",
            description = "Regions that are written, in turn (default ${DEFAULT-VALUE}).")
    private int active = 1;

    @Option(names = "--value-size", description = "Bytes of a value (default ${DEFAULT-VALUE}).")
    private int valueSize = 100;

    @Option(
            names = "--steady",
            description = "Kill no store, but write for so many seconds (see `tidekv ctl cost`).")
    private int steady;

    private final Console console;
    private final Clock clock = SystemClock.INSTANCE;

    RegionsCommand(Console console) {
        this.console = console;
    }

    @Override
    public Integer call() throws Exception {
        if (regions < 2 || rate <= 0 || active < 1 || active > regions) {
            throw new CliException(
                    "--regions must be above 1, --rate above 0, --active at most --regions");
        }
        if (valueSize < 1 || steady < 0) {
            throw new CliException("--value-size must be above 0, --steady not below");
        }
        KilledStores stores = playground.open();
        try (KvClient client = new KvClient(stores.pd(), false)) {
            show(client, stores, "before");
            timed("made", () -> make(client));
            timed("evened out", () -> await(client, this::isEven));
            timed(
                    "all but a few hibernate",
                    () -> await(client, all -> count(all, RegionInfo::getHibernated) >= most(all)));
            show(client, stores, "at rest");
            if (steady > 0) {
                write(client, stores);
            } else {
                handOver(client, stores);
            }
            return 0;
        } finally {
            stores.close();
        }
    }

    private void write(KvClient client, KilledStores stores) throws Exception {
        try (PacedWrites writes = writes(client)) {
            pause(steady * 1_000L);
            line("%d writes in %d s", writes.done(), steady);
            gap(writes);
            show(client, stores, "meanwhile");
        }
    }

    private void handOver(KvClient client, KilledStores stores) throws Exception {
        try (PacedWrites writes = writes(client)) {
            await(client, all -> writes.done() > Math.max(rate, active));
            long killed = owners(list(client)).keySet().iterator().next();
            writes.takeGapMillis();
            stores.kill(killed);
            timed(
                    "store " + killed + " killed: all are led by others",
                    () -> await(client, all -> led(all) && !owners(all).containsKey(killed)));
            gap(writes);
            show(client, stores, "on fewer stores");
            stores.startAgain(killed);
            timed(
                    "store " + killed + " started: it has its share",
                    () -> await(client, all -> led(all) && isEven(all)));
            gap(writes);
            show(client, stores, "at the end");
        }
    }

    private PacedWrites writes(KvClient client) {
        RawKv kv = new RawKv(client);
        byte[] bytes = new byte[valueSize];
        Randomness.real().nextBytes(bytes);
        ByteString value = ByteString.copyFrom(bytes);
        return new PacedWrites(n -> kv.put(written(n), value, 0), rate, clock);
    }

    /** A row of its own in one of the regions that are written, which are spread over all. */
    private ByteString written(long count) {
        String row = String.format(Locale.ROOT, "/%09d", count / active);
        return key((int) (count % active) * (regions / active))
                .concat(ByteString.copyFromUtf8(row));
    }

    private void gap(PacedWrites writes) {
        line(
                "  longest time without a write: %.0f ms, %d failed",
                writes.takeGapMillis(), writes.failed());
    }

    private static ByteString key(int number) {
        return PREFIX.concat(ByteString.copyFromUtf8(String.format(Locale.ROOT, "%07d", number)));
    }

    /** Rows first, then regions, so that each region has a file. */
    private void make(KvClient client) throws InterruptedException {
        RawKv kv = new RawKv(client);
        ByteString value = ByteString.copyFrom(new byte[100]);
        for (int from = 0; from < regions; from += 1000) {
            List<KvPair> rows = new ArrayList<>();
            for (int i = from; i < Math.min(from + 1000, regions); i++) {
                rows.add(KvPair.newBuilder().setKey(key(i)).setValue(value).build());
            }
            kv.putAll(rows).join();
        }
        for (int from = 1; from < regions; from += BATCH) {
            List<ByteString> keys = new ArrayList<>();
            for (int i = from; i < Math.min(from + BATCH, regions); i++) {
                keys.add(key(i));
            }
            split(client, keys);
        }
    }

    private void split(KvClient client, List<ByteString> keys) throws InterruptedException {
        List<RegionInfo> found =
                client.pd()
                        .cluster(
                                TIMEOUT_MILLIS,
                                c ->
                                        c.listRegions(
                                                ListRegionsRequest.newBuilder()
                                                        .setStartKey(keys.get(0))
                                                        .setLimit(1)
                                                        .build()))
                        .getRegionsList();
        client.pd()
                .cluster(
                        TIMEOUT_MILLIS,
                        c ->
                                c.splitRegion(
                                        SplitRegionRequest.newBuilder()
                                                .setRegionId(found.get(0).getShape().getRegionId())
                                                .addAllKeys(keys)
                                                .setTimeoutMs(TIMEOUT_MILLIS)
                                                .build()));
    }

    private static List<RegionInfo> list(KvClient client) {
        return client.pd()
                .cluster(
                        TIMEOUT_MILLIS, c -> c.listRegions(ListRegionsRequest.getDefaultInstance()))
                .getRegionsList();
    }

    private static long count(List<RegionInfo> all, Predicate<RegionInfo> which) {
        return all.stream().filter(which).count();
    }

    /** Nearly all of them. */
    private static long most(List<RegionInfo> all) {
        return all.size() - Math.max(4L, all.size() / 20);
    }

    private static boolean led(List<RegionInfo> all) {
        return count(all, region -> region.getState() == RegionState.LEADING) == all.size();
    }

    private static Map<Long, Integer> owners(List<RegionInfo> all) {
        Map<Long, Integer> owners = new TreeMap<>();
        all.forEach(region -> owners.merge(region.getOwner().getStoreId(), 1, Integer::sum));
        return owners;
    }

    private boolean isEven(List<RegionInfo> all) {
        Map<Long, Integer> owners = owners(all);
        int most = owners.values().stream().mapToInt(n -> n).max().orElse(0);
        int least = owners.values().stream().mapToInt(n -> n).min().orElse(0);
        return owners.size() > 1 && most - least <= Math.max(3, all.size() / 100);
    }

    /** Asks less often for many regions: the answer itself is work for PD and for this process. */
    private void await(KvClient client, Predicate<List<RegionInfo>> condition)
            throws InterruptedException {
        long poll = Math.max(POLL_MILLIS_MIN, regions / 20);
        for (long waited = 0; !condition.test(list(client)); waited += poll) {
            if (waited > PATIENCE_MILLIS) {
                throw new CliException("that does not come to be");
            }
            pause(poll);
        }
    }

    private static void pause(long millis) throws InterruptedException {
        new CountDownLatch(1).await(millis, TimeUnit.MILLISECONDS);
    }

    private interface Step {
        void run() throws InterruptedException;
    }

    private void timed(String what, Step step) throws InterruptedException {
        long start = clock.monotonicNanos();
        step.run();
        line("%s after %.1f s", what, (clock.monotonicNanos() - start) / 1e9);
    }

    private void show(KvClient client, KilledStores stores, String when) {
        List<RegionInfo> all = list(client);
        line(
                "%s: %d regions, %d of them hibernate",
                when, all.size(), count(all, RegionInfo::getHibernated));
        Map<Long, Integer> owners = owners(all);
        stores.pids()
                .forEach(
                        (id, pid) ->
                                line(
                                        "  store %d: %d regions, %s, %s threads",
                                        id,
                                        owners.getOrDefault(id, 0),
                                        ProcessStatus.of(pid, "VmRSS"),
                                        ProcessStatus.of(pid, "Threads")));
    }

    private void line(String format, Object... values) {
        console.line(String.format(Locale.ROOT, format, values));
    }
}
