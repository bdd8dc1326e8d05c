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
import java.util.function.LongFunction;
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
    @Mixin private PdOption pd = new PdOption();

    @Option(names = "--region", paramLabel = "ID", description = "The region (default: the first).")
    private long region;

    @Option(names = "--moves", description = "How often (default ${DEFAULT-VALUE}).")
    private int moves = 20;

    @Option(
            names = "--warm-up",
            description = {
                "Moves before those, shown and not counted: code that a process has never run is",
                "slow (default ${DEFAULT-VALUE})."
            })
    private int warmUp = 2;

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
        if (moves < 1 || warmUp < 0 || rate <= 0 || valueSize < 1 || keys < 1) {
            throw new CliException("--moves, --rate, --value-size and --keys must be above 0");
        }
        try (KvClient client = new KvClient(pd.endpoints(), batch)) {
            RegionInfo info = RegionUnderTest.find(client, region);
            ByteString prefix = RegionUnderTest.prefix(info, "bench-move");
            ByteString value = Workload.value(valueSize, Randomness.seeded(valueSize));
            RawKv kv = new RawKv(client);
            List<Move> done = new ArrayList<>();
            LongFunction<CompletableFuture<Void>> put =
                    n -> kv.put(prefix.concat(utf8(Long.toString(n % keys))), value, 0);
            RegionUnderTest.warmUp(put);
            try (PacedWrites writes = new PacedWrites(put, rate, clock)) {
                RegionUnderTest.settle(writes);
                for (int i = 1 - warmUp; i <= moves; i++) {
                    Move move = move(client, info.getShape().getRegionId(), writes);
                    if (i > 0) {
                        done.add(move);
                    }
                    show(i > 0 ? "move" : "warm-up", i > 0 ? i : i + warmUp, move);
                }
                return report(info, done, writes);
            }
        }
    }

    /**
     * One move, in milliseconds.
     *
     * @param gap without an acknowledgement
     * @param ended when that was over, before the order was answered (negative: after it); a gap
     *     that ended long before came of the preparation, not of the change of owner
     * @param pd between the source's release and the target's first report
     * @param took until the order was answered
     * @param retries why writes were sent again, and how often
     */
    private record Move(
            long source,
            long target,
            double gap,
            double ended,
            long pd,
            double took,
            Map<String, Long> retries) {}

    private Move move(KvClient client, long id, PacedWrites writes) throws InterruptedException {
        long owner = RegionUnderTest.find(client, id).getOwner().getStoreId();
        long target = other(client, owner);
        MoveRegionRequest order =
                MoveRegionRequest.newBuilder()
                        .setRegionId(id)
                        .setTargetStoreId(target)
                        .setTimeoutMs(RegionUnderTest.TIMEOUT_MILLIS)
                        .build();
        client.takeRetries();
        writes.takeGapMillis();
        long start = clock.monotonicNanos();
        long pdGap =
                client.pd()
                        .cluster(
                                RegionUnderTest.TIMEOUT_MILLIS,
                                cluster -> cluster.moveRegion(order))
                        .getGapMs();
        long end = clock.monotonicNanos();
        RegionUnderTest.settle(writes);
        PacedWrites.Gap gap = writes.takeGap();
        return new Move(
                owner,
                target,
                gap.millis(),
                (end - gap.endNanos()) / 1e6,
                pdGap,
                (end - start) / 1e6,
                client.takeRetries());
    }

    private void show(String what, int number, Move move) {
        if (!json) {
            console.line(
                    String.format(
                            Locale.ROOT,
                            "%s %3d  store %d -> %d  no write for %.0f ms, until %.0f ms before"
                                    + " the end (PD saw %d ms), took %.0f ms, retries %s",
                            what,
                            number,
                            move.source,
                            move.target,
                            move.gap,
                            move.ended,
                            move.pd,
                            move.took,
                            move.retries));
        }
    }

    private static long other(KvClient client, long owner) {
        for (StoreInfo store :
                client.pd()
                        .cluster(
                                RegionUnderTest.TIMEOUT_MILLIS,
                                cluster ->
                                        cluster.listStores(ListStoresRequest.getDefaultInstance()))
                        .getStoresList()) {
            if (store.getOwner().getStoreId() != owner && store.getState().equals("Up")) {
                return store.getOwner().getStoreId();
            }
        }
        throw new CliException("a second store is needed to move a region");
    }

    private int report(RegionInfo info, List<Move> done, PacedWrites writes) {
        Gaps gaps = new Gaps(done.stream().map(Move::gap).toList());
        if (json) {
            Map<String, Object> line = new LinkedHashMap<>();
            line.put("region", info.getShape().getRegionId());
            line.put("bytes", info.getApproximateBytes());
            line.put("moves", gaps.millis().size());
            gaps.into(line, "gap");
            line.put("gap_ended_ms", done.stream().map(m -> Math.round(-m.ended)).toList());
            line.put("pd_ms", done.stream().map(Move::pd).toList());
            line.put("took_ms", done.stream().map(m -> Math.round(m.took)).toList());
            line.put("writes", writes.done());
            line.put("failed", writes.failed());
            console.line(Json.line(line));
        } else {
            console.line(
                    String.format(
                            Locale.ROOT,
                            "%d moves of region %d, about %.1f MB: no write for p50 %.0f  p99 %.0f"
                                    + "  max %.0f ms; %d writes, %d failed",
                            gaps.millis().size(),
                            info.getShape().getRegionId(),
                            info.getApproximateBytes() / 1e6,
                            gaps.p50(),
                            gaps.p99(),
                            gaps.max(),
                            writes.done(),
                            writes.failed()));
        }
        return writes.failed() == 0 ? 0 : 1;
    }

    private static ByteString utf8(String text) {
        return ByteString.copyFromUtf8(text);
    }
}
