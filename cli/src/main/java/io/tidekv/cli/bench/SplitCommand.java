package io.tidekv.cli.bench;

import com.google.protobuf.ByteString;
import io.tidekv.cli.CliException;
import io.tidekv.cli.Console;
import io.tidekv.cli.Json;
import io.tidekv.cli.PdOption;
import io.tidekv.cli.client.KvClient;
import io.tidekv.cli.client.RawKv;
import io.tidekv.common.Randomness;
import io.tidekv.common.config.DataSize;
import io.tidekv.common.time.Clock;
import io.tidekv.common.time.SystemClock;
import io.tidekv.proto.cluster.ListRegionsRequest;
import io.tidekv.proto.cluster.RegionInfo;
import io.tidekv.proto.cluster.SplitRegionRequest;
import io.tidekv.proto.metapb.Store;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/**
 * {@code tidekv bench split}. Writes go to both sides of the next border, which lies further right
 * each time: the region that is split always gets all of them before, and half of them afterwards.
 */
@Command(
        name = "split",
        description = {
            "Split a region again and again while it is written, and show for how long neither half",
            "acknowledged a write, and for how long the store says it has held them. Exit code 1",
            "when a write failed."
        })
final class SplitCommand implements Callable<Integer> {
    private static final int LOAD_VALUE_BYTES = 16 << 10;
    private static final int LOAD_AT_ONCE = 32;
    private static final String PAUSES = "tidekv_region_split_pause_seconds";

    @Mixin private PdOption pd = new PdOption();

    @Option(names = "--region", paramLabel = "ID", description = "The region (default: the last).")
    private long region;

    @Option(names = "--splits", description = "How often (default ${DEFAULT-VALUE}).")
    private int splits = 20;

    @Option(names = "--rate", description = "Writes per second (default ${DEFAULT-VALUE}).")
    private double rate = 1000;

    @Option(names = "--value-size", description = "Bytes of a value (default ${DEFAULT-VALUE}).")
    private int valueSize = 256;

    @Option(names = "--keys", description = "Different keys a half (default ${DEFAULT-VALUE}).")
    private long keys = 10_000;

    @Option(
            names = "--load",
            paramLabel = "SIZE",
            description = "Written just before each split, for its memtable (default: nothing).")
    private String load = "0B";

    @Option(
            names = "--batch",
            description = "All writes in one stream, as client-go does it, instead of one by one.")
    private boolean batch;

    @Option(names = "--json", description = "Print JSON.")
    private boolean json;

    private final Console console;
    private final Clock clock = SystemClock.INSTANCE;

    /** The window of keys on the left of the next border. */
    private volatile int left;

    SplitCommand(Console console) {
        this.console = console;
    }

    @Override
    public Integer call() throws InterruptedException {
        if (splits < 1 || rate <= 0 || valueSize < 1 || keys < 1) {
            throw new CliException("--splits, --rate, --value-size and --keys must be above 0");
        }
        long loadBytes = DataSize.parse(load).bytes();
        try (KvClient client = new KvClient(pd.endpoints(), batch)) {
            RegionInfo info = region == 0 ? last(client) : RegionUnderTest.find(client, region);
            ByteString prefix = RegionUnderTest.prefix(info, "bench-split");
            RawKv kv = new RawKv(client);
            ByteString value = Workload.value(valueSize, Randomness.seeded(valueSize));
            RegionUnderTest.warmUp(n -> kv.put(key(prefix, (int) (n % 2), n), value, 0));
            List<Double> gaps = new ArrayList<>();
            List<Double> pauses = new ArrayList<>();
            try (PacedWrites lower =
                            new PacedWrites(
                                    n -> kv.put(key(prefix, left, n % keys), value, 0),
                                    rate / 2,
                                    clock);
                    PacedWrites upper =
                            new PacedWrites(
                                    n -> kv.put(key(prefix, left + 1, n % keys), value, 0),
                                    rate / 2,
                                    clock)) {
                RegionUnderTest.settle(lower, upper);
                for (int i = 0; i < splits; i++) {
                    fill(kv, prefix, loadBytes);
                    double heldBefore = held(client);
                    lower.takeGapMillis();
                    upper.takeGapMillis();
                    double took =
                            split(client, info.getShape().getRegionId(), border(prefix, left + 1));
                    RegionUnderTest.settle(lower, upper);
                    double gap = Math.max(lower.takeGapMillis(), upper.takeGapMillis());
                    double pause = (held(client) - heldBefore) * 1000;
                    gaps.add(gap);
                    pauses.add(pause);
                    left = i + 1;
                    show(i + 1, gap, pause, took);
                }
                return report(info, new Gaps(gaps), new Gaps(pauses), lower, upper);
            }
        }
    }

    /** Where an earlier run has gone on: the right part of a split keeps its id. */
    private static RegionInfo last(KvClient client) {
        List<RegionInfo> all =
                client.pd()
                        .cluster(
                                RegionUnderTest.TIMEOUT_MILLIS,
                                cluster ->
                                        cluster.listRegions(
                                                ListRegionsRequest.getDefaultInstance()))
                        .getRegionsList();
        if (all.isEmpty()) {
            throw new CliException("there is no region");
        }
        return all.get(all.size() - 1);
    }

    private static ByteString border(ByteString prefix, int window) {
        return prefix.concat(ByteString.copyFromUtf8(String.format(Locale.ROOT, "%06d", window)));
    }

    private static ByteString key(ByteString prefix, int window, long number) {
        return border(prefix, window).concat(ByteString.copyFromUtf8("-" + number));
    }

    /** To both halves alike. */
    private void fill(RawKv kv, ByteString prefix, long bytes) {
        ByteString value = Workload.value(LOAD_VALUE_BYTES, Randomness.seeded(bytes));
        long rows = bytes / LOAD_VALUE_BYTES;
        for (long from = 0; from < rows; from += LOAD_AT_ONCE) {
            List<CompletableFuture<Void>> some = new ArrayList<>();
            for (long n = from; n < Math.min(rows, from + LOAD_AT_ONCE); n++) {
                some.add(kv.put(key(prefix, left + (int) (n % 2), keys + n), value, 0));
            }
            CompletableFuture.allOf(some.toArray(CompletableFuture<?>[]::new)).join();
        }
    }

    /** Milliseconds until both halves are served. */
    private double split(KvClient client, long id, ByteString at) {
        SplitRegionRequest request =
                SplitRegionRequest.newBuilder()
                        .setRegionId(id)
                        .addKeys(at)
                        .setTimeoutMs(RegionUnderTest.TIMEOUT_MILLIS)
                        .build();
        long start = clock.monotonicNanos();
        client.pd()
                .cluster(RegionUnderTest.TIMEOUT_MILLIS, cluster -> cluster.splitRegion(request));
        return (clock.monotonicNanos() - start) / 1e6;
    }

    /** Seconds for which the stores have held writes for splits, in all. */
    private static double held(KvClient client) {
        double seconds = 0;
        for (Store store : client.pd().stores()) {
            Double sum = MetricsPage.of(store.getStatusAddress()).value(PAUSES + "_sum");
            seconds += sum == null ? 0 : sum;
        }
        return seconds;
    }

    private void show(int number, double gap, double pause, double took) {
        if (!json) {
            console.line(
                    String.format(
                            Locale.ROOT,
                            "split %3d  no write to a half for %.1f ms (held for %.1f ms), took"
                                    + " %.0f ms",
                            number,
                            gap,
                            pause,
                            took));
        }
    }

    private int report(
            RegionInfo info, Gaps gaps, Gaps pauses, PacedWrites lower, PacedWrites upper) {
        long done = lower.done() + upper.done();
        long failed = lower.failed() + upper.failed();
        if (json) {
            Map<String, Object> line = new LinkedHashMap<>();
            line.put("region", info.getShape().getRegionId());
            line.put("splits", splits);
            line.put("load", load);
            gaps.into(line, "gap");
            pauses.into(line, "held");
            line.put("writes", done);
            line.put("failed", failed);
            console.line(Json.line(line));
        } else {
            console.line(
                    String.format(
                            Locale.ROOT,
                            "%d splits of region %d, %s written before each: no write to a half for"
                                    + " p50 %.1f  p99 %.1f  max %.1f ms; held for p50 %.1f  p99"
                                    + " %.1f  max %.1f ms; %d writes, %d failed",
                            splits,
                            info.getShape().getRegionId(),
                            load,
                            gaps.p50(),
                            gaps.p99(),
                            gaps.max(),
                            pauses.p50(),
                            pauses.p99(),
                            pauses.max(),
                            done,
                            failed));
        }
        return failed == 0 ? 0 : 1;
    }
}
