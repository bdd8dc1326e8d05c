package io.tidekv.cli.bench;

import com.google.protobuf.ByteString;
import io.tidekv.cli.CliException;
import io.tidekv.cli.Console;
import io.tidekv.cli.Json;
import io.tidekv.cli.PdOption;
import io.tidekv.cli.client.KvClient;
import io.tidekv.cli.client.RawKv;
import io.tidekv.common.Randomness;
import io.tidekv.common.time.Clock;
import io.tidekv.common.time.SystemClock;
import io.tidekv.proto.cluster.ListRegionsRequest;
import io.tidekv.proto.cluster.ListStoresRequest;
import io.tidekv.proto.cluster.MoveRegionRequest;
import io.tidekv.proto.cluster.RegionInfo;
import io.tidekv.proto.cluster.StoreInfo;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.LongFunction;
import java.util.stream.LongStream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code tidekv bench move}. */
@Command(
        name = "move",
        description = {
            "Move a region between the stores while it is written, and show for how long no write",
            "was acknowledged. Exit code 1 when a write failed."
        })
final class MoveCommand implements Callable<Integer> {
    /** Before and after a move the writes run undisturbed for this long. */
    private static final long SETTLE_MILLIS = 500;

    private static final long TIMEOUT_MILLIS = 120_000;

    private static final int WARM_UP_ROUNDS = 20;
    private static final int WARM_UP_WRITES = 50;

    @Mixin private PdOption pd = new PdOption();

    @Option(names = "--region", paramLabel = "ID", description = "The region (default: the first).")
    private long region;

    @Option(names = "--moves", description = "How often (default ${DEFAULT-VALUE}).")
    private int moves = 20;

    @Option(names = "--rate", description = "Writes per second (default ${DEFAULT-VALUE}).")
    private double rate = 1000;

    @Option(names = "--value-size", description = "Bytes of a value (default ${DEFAULT-VALUE}).")
    private int valueSize = 256;

    @Option(names = "--keys", description = "Different keys (default ${DEFAULT-VALUE}).")
    private long keys = 10_000;

    @Option(
            names = "--batch",
            description = "All writes in one stream, as client-go does it, instead of one by one.")
    private boolean batch;

    @Option(names = "--json", description = "Print JSON.")
    private boolean json;

    private final Console console;
    private final Clock clock = SystemClock.INSTANCE;

    MoveCommand(Console console) {
        this.console = console;
    }

    @Override
    public Integer call() throws InterruptedException {
        if (moves < 1 || rate <= 0 || valueSize < 1 || keys < 1) {
            throw new CliException("--moves, --rate, --value-size and --keys must be above 0");
        }
        try (KvClient client = new KvClient(pd.endpoints(), batch)) {
            RegionInfo info = find(client);
            ByteString prefix = info.getShape().getStartKey().concat(utf8("\0bench-move-"));
            ByteString end = info.getShape().getEndKey();
            if (!end.isEmpty()
                    && ByteString.unsignedLexicographicalComparator().compare(prefix, end) >= 0) {
                throw new CliException("the range of the region is too small for keys of its own");
            }
            ByteString value = Workload.value(valueSize, Randomness.seeded(valueSize));
            RawKv kv = new RawKv(client);
            List<Double> gaps = new ArrayList<>();
            LongFunction<CompletableFuture<Void>> put =
                    n -> kv.put(prefix.concat(utf8(Long.toString(n % keys))), value, 0);
            warmUp(put);
            try (PacedWrites writes = new PacedWrites(put, rate, clock)) {
                settle();
                for (int i = 0; i < moves; i++) {
                    gaps.add(move(client, info.getShape().getRegionId(), i + 1, writes));
                }
                return report(info, gaps, writes);
            }
        }
    }

    /** Connects and has the code compiled, before anything is measured. */
    private static void warmUp(LongFunction<CompletableFuture<Void>> put) {
        for (int i = 0; i < WARM_UP_ROUNDS; i++) {
            CompletableFuture.allOf(
                            LongStream.range(0, WARM_UP_WRITES)
                                    .mapToObj(put)
                                    .toArray(CompletableFuture<?>[]::new))
                    .join();
        }
    }

    private RegionInfo find(KvClient client) {
        List<RegionInfo> found =
                client.pd()
                        .cluster(
                                TIMEOUT_MILLIS,
                                cluster ->
                                        cluster.listRegions(
                                                ListRegionsRequest.newBuilder()
                                                        .setRegionId(region)
                                                        .setLimit(1)
                                                        .build()))
                        .getRegionsList();
        if (found.isEmpty()) {
            throw new CliException("there is no region " + region);
        }
        return found.get(0);
    }

    /** Milliseconds without an acknowledgement. */
    private double move(KvClient client, long id, int number, PacedWrites writes)
            throws InterruptedException {
        region = id;
        long owner = find(client).getOwner().getStoreId();
        long target = other(client, owner);
        writes.takeGapMillis();
        long start = clock.monotonicNanos();
        long pdGap =
                client.pd()
                        .cluster(
                                TIMEOUT_MILLIS,
                                cluster ->
                                        cluster.moveRegion(
                                                MoveRegionRequest.newBuilder()
                                                        .setRegionId(id)
                                                        .setTargetStoreId(target)
                                                        .setTimeoutMs(TIMEOUT_MILLIS)
                                                        .build()))
                        .getGapMs();
        double took = (clock.monotonicNanos() - start) / 1e6;
        settle();
        double gap = writes.takeGapMillis();
        if (!json) {
            console.line(
                    String.format(
                            Locale.ROOT,
                            "move %3d  store %d -> %d  no write for %.0f ms (PD saw %d ms), took"
                                    + " %.0f ms",
                            number,
                            owner,
                            target,
                            gap,
                            pdGap,
                            took));
        }
        return gap;
    }

    private static long other(KvClient client, long owner) {
        for (StoreInfo store :
                client.pd()
                        .cluster(
                                TIMEOUT_MILLIS,
                                cluster ->
                                        cluster.listStores(ListStoresRequest.getDefaultInstance()))
                        .getStoresList()) {
            if (store.getOwner().getStoreId() != owner && store.getState().equals("Up")) {
                return store.getOwner().getStoreId();
            }
        }
        throw new CliException("a second store is needed to move a region");
    }

    private static void settle() throws InterruptedException {
        new CountDownLatch(1).await(SETTLE_MILLIS, TimeUnit.MILLISECONDS);
    }

    private int report(RegionInfo info, List<Double> gaps, PacedWrites writes) {
        List<Double> sorted = gaps.stream().sorted().toList();
        double p50 = sorted.get((sorted.size() - 1) / 2);
        double p99 = sorted.get((int) Math.ceil(0.99 * sorted.size()) - 1);
        double max = sorted.get(sorted.size() - 1);
        if (json) {
            Map<String, Object> line = new LinkedHashMap<>();
            line.put("region", info.getShape().getRegionId());
            line.put("bytes", info.getApproximateBytes());
            line.put("moves", gaps.size());
            line.put("gap_ms", gaps.stream().map(Math::round).toList());
            line.put("gap_p50_ms", Math.round(p50));
            line.put("gap_p99_ms", Math.round(p99));
            line.put("gap_max_ms", Math.round(max));
            line.put("writes", writes.done());
            line.put("failed", writes.failed());
            console.line(Json.line(line));
        } else {
            console.line(
                    String.format(
                            Locale.ROOT,
                            "%d moves of region %d, about %.1f MB: no write for p50 %.0f  p99 %.0f"
                                    + "  max %.0f ms; %d writes, %d failed",
                            gaps.size(),
                            info.getShape().getRegionId(),
                            info.getApproximateBytes() / 1e6,
                            p50,
                            p99,
                            max,
                            writes.done(),
                            writes.failed()));
        }
        return writes.failed() == 0 ? 0 : 1;
    }

    private static ByteString utf8(String text) {
        return ByteString.copyFromUtf8(text);
    }
}
