package io.tidekv.cli.bench;

import com.google.protobuf.ByteString;
import io.tidekv.cli.CliException;
import io.tidekv.cli.Console;
import io.tidekv.cli.Json;
import io.tidekv.cli.client.KvClient;
import io.tidekv.cli.client.RawKv;
import io.tidekv.common.Randomness;
import io.tidekv.common.time.Clock;
import io.tidekv.common.time.SystemClock;
import io.tidekv.objects.cost.Requests;
import io.tidekv.proto.kvrpcpb.KvPair;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.HdrHistogram.Histogram;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code tidekv bench cold}. */
@Command(
        name = "cold",
        description = {
            "A bulk load in the order of keys and what it costs in requests; then the one store is",
            "killed, its folder emptied, and keys are read that are in the object store alone, one",
            "after the other, then by several clients; then scans of 100 rows. For a playground with",
            "--processes --compute 1. Exit code 1 when an operation failed or a key was not there."
        })
final class ColdCommand implements Callable<Integer> {
    private static final int PAIRS = 100;
    private static final int KEY_BYTES = 21;
    private static final int LOADERS = 8;
    private static final int POOL_BYTES = 32 << 20;
    private static final int PATIENCE_SECONDS = 120;

    @Mixin private KilledStoresOption playground = new KilledStoresOption();

    @Option(names = "--megabytes", description = "Loaded (default ${DEFAULT-VALUE}).")
    private long megabytes = 300;

    @Option(names = "--value-size", description = "Bytes of a value (default ${DEFAULT-VALUE}).")
    private int valueSize = 256;

    @Option(names = "--first", description = "First gets, apart (default ${DEFAULT-VALUE}).")
    private int first = 20;

    @Option(names = "--gets", description = "Gets of each kind (default ${DEFAULT-VALUE}).")
    private int gets = 400;

    @Option(names = "--clients", description = "Several clients (default ${DEFAULT-VALUE}).")
    private int clients = 16;

    @Option(names = "--scans", description = "Scans (default ${DEFAULT-VALUE}).")
    private int scans = 50;

    @Option(names = "--json", description = "Print JSON.")
    private boolean json;

    private final Console console;
    private final Clock clock = SystemClock.INSTANCE;
    private final Randomness random = Randomness.seeded(5);
    private long batches;
    private boolean failed;

    ColdCommand(Console console) {
        this.console = console;
    }

    @Override
    public Integer call() throws IOException, InterruptedException {
        if (megabytes < 1 || valueSize < 1 || first < 1 || gets < 1 || clients < 1 || scans < 1) {
            throw new CliException("all numbers must be above 0");
        }
        batches = (megabytes << 20) / ((long) PAIRS * (valueSize + KEY_BYTES));
        try (KilledStores stores = playground.open();
                KvClient client = new KvClient(stores.pd(), true)) {
            client.learnApiMode();
            if (stores.pids().size() != 1) {
                throw new CliException("expected a playground with --processes --compute 1");
            }
            long store = stores.pids().keySet().iterator().next();
            StorePage page = new StorePage(client.pd().stores().get(0).getStatusAddress());
            load(client, stores, page);
            stores.kill(store);
            stores.emptyFolder(store);
            stores.startAgain(store);
            awaitUp(page);
            read(new RawKv(client), page);
        }
        return failed ? 1 : 0;
    }

    private void load(KvClient client, KilledStores stores, StorePage page)
            throws InterruptedException {
        RawKv raw = new RawKv(client);
        ByteString pool = Workload.value(POOL_BYTES + valueSize, Randomness.seeded(valueSize));
        ServerCpu cpu = ServerCpu.of("compute", List.copyOf(stores.pids().values()));
        Requests before = Requests.parse(page.read());
        ClosedLoop puts = new ClosedLoop(key -> raw.putAll(batch(key, pool)), clock);
        ClosedLoop.Result loaded = puts.once(LOADERS, batches);
        failed |= loaded.errors() > 0;
        for (int i = 0; page.value("tidekv_region_unpublished_bytes") > 0; i++) {
            if (i == PATIENCE_SECONDS) {
                throw new CliException(
                        "the load is not published: give the playground a short"
                                + " compute.region.publish-interval");
            }
            pause(1000);
        }
        cpu.awaitRest();
        show("load", loaded, Requests.parse(page.read()).since(before));
    }

    /** Values of which no two are alike, or they would be stored as next to nothing. */
    private List<KvPair> batch(ByteString key, ByteString pool) {
        List<KvPair> pairs = new ArrayList<>(PAIRS);
        for (int i = 0; i < PAIRS; i++) {
            int at = Math.floorMod((key.hashCode() * 31 + i) * 0x9E3779B1, POOL_BYTES);
            pairs.add(
                    KvPair.newBuilder()
                            .setKey(Workload.member(key, i))
                            .setValue(pool.substring(at, at + valueSize))
                            .build());
        }
        return pairs;
    }

    private void awaitUp(StorePage page) throws InterruptedException {
        for (int i = 0; !page.read().contains("tidekv_region_unpublished_bytes"); i++) {
            if (i == 10 * PATIENCE_SECONDS) {
                throw new CliException("the store does not come back");
            }
            pause(100);
        }
    }

    private void read(RawKv raw, StorePage page) throws InterruptedException {
        run("first gets", page, key -> get(raw), 1, first);
        run("gets", page, key -> get(raw), 1, gets);
        run("gets, " + clients + " clients", page, key -> get(raw), clients, gets);
        run("scans", page, key -> raw.scan(key(), ByteString.EMPTY, PAIRS), 1, scans);
    }

    private void run(
            String what, StorePage page, ClosedLoop.Operation operation, int clients, int times)
            throws InterruptedException {
        Requests before = Requests.parse(page.read());
        ClosedLoop.Result result = new ClosedLoop(operation, clock).once(clients, times);
        failed |= result.errors() > 0;
        show(what, result, Requests.parse(page.read()).since(before));
    }

    private CompletableFuture<Optional<ByteString>> get(RawKv raw) {
        return raw.get(key())
                .thenApply(
                        found -> {
                            if (found.isEmpty()) {
                                throw new IllegalStateException("a key is not there");
                            }
                            return found;
                        });
    }

    private ByteString key() {
        long batch;
        long pair;
        synchronized (random) {
            batch = random.nextLong(0, batches);
            pair = random.nextLong(0, PAIRS);
        }
        return Workload.member(ClosedLoop.key(batch), (int) pair);
    }

    private void show(String what, ClosedLoop.Result result, Requests requests) {
        long count = result.operations();
        Histogram micros = result.micros();
        double gigabytes = requests.bytesWritten() / (double) (1 << 30);
        if (json) {
            Map<String, Object> line = new LinkedHashMap<>();
            line.put("what", what);
            line.put("operations", count);
            line.put("errors", result.errors());
            line.put("p50_ms", micros.getValueAtPercentile(50) / 1e3);
            line.put("p99_ms", micros.getValueAtPercentile(99) / 1e3);
            line.put("max_ms", micros.getMaxValue() / 1e3);
            line.put("seconds", result.seconds());
            line.put("gets", requests.gets());
            line.put("bytes_read", requests.bytesRead());
            line.put("puts", requests.puts());
            line.put("bytes_written", requests.bytesWritten());
            line.put("puts_per_gb_uploaded", gigabytes == 0 ? 0 : requests.puts() / gigabytes);
            console.line(Json.line(line));
            return;
        }
        console.line(
                String.format(
                        Locale.ROOT,
                        "%-18s %6d in %6.1f s, %d errors  p50 %8.2f ms  p99 %8.2f ms  max %8.2f ms",
                        what,
                        count,
                        result.seconds(),
                        result.errors(),
                        micros.getValueAtPercentile(50) / 1e3,
                        micros.getValueAtPercentile(99) / 1e3,
                        micros.getMaxValue() / 1e3));
        console.line(
                String.format(
                        Locale.ROOT,
                        "%18s %.2f GETs and %.0f KB each; %d PUTs, %d MB uploaded%s",
                        "",
                        requests.gets() / (double) Math.max(1, count),
                        requests.bytesRead() / 1024.0 / Math.max(1, count),
                        requests.puts(),
                        requests.bytesWritten() >> 20,
                        gigabytes < 0.01
                                ? ""
                                : String.format(
                                        Locale.ROOT,
                                        ", %.1f PUTs per GB",
                                        requests.puts() / gigabytes)));
    }

    private static void pause(long millis) throws InterruptedException {
        new CountDownLatch(1).await(millis, TimeUnit.MILLISECONDS);
    }
}
