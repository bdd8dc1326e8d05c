package io.tidekv.cli.bench;

import com.google.protobuf.ByteString;
import io.tidekv.cli.CliException;
import io.tidekv.cli.Console;
import io.tidekv.cli.Json;
import io.tidekv.cli.PdOption;
import io.tidekv.cli.bench.wal.Children;
import io.tidekv.cli.client.KvClient;
import io.tidekv.common.Randomness;
import io.tidekv.common.time.Clock;
import io.tidekv.common.time.SystemClock;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code tidekv bench rocks}. */
@Command(
        name = "rocks",
        description = {
            "Gets of what is in memory and batches of 100 puts: of a cluster, and of a RocksDB with",
            "the same options behind nothing but gRPC, without a log and with one that is synced.",
            "The same client, one stream to each, in turns. Exit code 1 when an operation failed."
        })
final class RocksCommand implements Callable<Integer> {
    private static final int LOADERS = 64;
    private static final double WARM_UP_SECONDS = 4;

    @Mixin private PdOption pd = new PdOption();

    @Option(
            names = "--clients",
            split = ",",
            description = "Clients at once, one number after the other (default 1,64).")
    private List<Integer> clients = List.of(1, 64);

    @Option(names = "--value-size", description = "Bytes of a value (default ${DEFAULT-VALUE}).")
    private int valueSize = 256;

    @Option(names = "--keys", description = "Different keys (default ${DEFAULT-VALUE}).")
    private long keys = 50_000;

    @Option(names = "--duration", description = "Seconds of a turn (default ${DEFAULT-VALUE}).")
    private double seconds = 5;

    @Option(names = "--turns", description = "Turns of each (default ${DEFAULT-VALUE}).")
    private int turns = 2;

    @Option(
            names = "--dir",
            required = true,
            description = "A folder for the RocksDB, on the disk of the cluster's.")
    private Path folder = Path.of("");

    @Option(
            names = "--ready-file",
            paramLabel = "FILE",
            description = "Of a playground: the processes whose CPU is measured.")
    private @Nullable Path readyFile;

    @Option(names = "--json", description = "Print JSON.")
    private boolean json;

    private final Console console;
    private final Clock clock = SystemClock.INSTANCE;
    private ByteString value = ByteString.EMPTY;
    private boolean failed;

    RocksCommand(Console console) {
        this.console = console;
    }

    /** Who is measured. */
    private record Side(String name, KvClient client, ServerCpu cpu) {}

    @Override
    public Integer call() throws IOException, InterruptedException {
        if (clients.stream().anyMatch(n -> n < 1)
                || keys < 1
                || valueSize < 1
                || seconds <= 0
                || turns < 1) {
            throw new CliException("all numbers must be above 0");
        }
        value = Workload.value(valueSize, Randomness.seeded(valueSize));
        Files.createDirectories(folder);
        try (Children children = new Children(folder, clock);
                KvClient cluster = new KvClient(pd.endpoints(), true)) {
            cluster.learnApiMode();
            Side tidekv = new Side("tidekv", cluster, ServerCpu.of(readyFile, cluster.pd()));
            try (KvClient plain = client(children, "rocksdb");
                    KvClient synced = client(children, "rocksdb-synced", "--synced")) {
                Side rocks = new Side("rocksdb", plain, cpu(children, 0));
                Side safe = new Side("rocksdb, synced", synced, cpu(children, 1));
                compare(Workload.RAW_GET, List.of(rocks, tidekv));
                compare(Workload.RAW_BATCH_PUT, List.of(rocks, safe, tidekv));
            }
        }
        return failed ? 1 : 0;
    }

    private KvClient client(Children children, String name, String... more)
            throws IOException, InterruptedException {
        List<String> arguments = new ArrayList<>(List.of("bench", "rocks-server", "--dir"));
        arguments.add(Files.createDirectories(folder.resolve(name)).toString());
        arguments.addAll(List.of(more));
        return new KvClient(children.start(name, arguments).address(), true);
    }

    private static ServerCpu cpu(Children children, int which) {
        return ServerCpu.of("rocksdb", List.of(children.pids().get(which)));
    }

    /** The last of the sides as a share of each of the others. */
    private void compare(Workload workload, List<Side> sides) throws InterruptedException {
        for (Side side : sides) {
            if (workload.reads()) {
                checked(loop(workload.loader(), side).once(LOADERS, keys));
            }
        }
        for (int count : clients) {
            List<Report> reports = new ArrayList<>();
            for (Side side : sides) {
                // The compilers of both sides, and of the clients, are busy before.
                checked(loop(workload, side).forSeconds(LOADERS, keys, WARM_UP_SECONDS));
                if (count < LOADERS) {
                    checked(loop(workload, side).forSeconds(count, keys, WARM_UP_SECONDS));
                }
            }
            for (int turn = 0; turn < turns; turn++) {
                for (int i = 0; i < sides.size(); i++) {
                    // What one has left to do must not be paid for by another.
                    for (Side side : sides) {
                        side.cpu().awaitRest();
                    }
                    Report report = measure(workload, sides.get(i), count);
                    if (turn == 0) {
                        reports.add(report);
                    } else {
                        reports.set(i, reports.get(i).plus(report));
                    }
                }
            }
            show(workload, count, sides, reports);
        }
    }

    private ClosedLoop loop(Workload workload, Side side) {
        return new ClosedLoop(key -> workload.run(side.client(), key, value), clock);
    }

    private Report measure(Workload workload, Side side, int count) throws InterruptedException {
        Map<String, Double> before = side.cpu().read();
        ClosedLoop.Result result = checked(loop(workload, side).forSeconds(count, keys, seconds));
        Map<String, Double> used = ServerCpu.between(before, side.cpu().read());
        return new Report(workload.toString(), count, valueSize, keys, result, used);
    }

    private ClosedLoop.Result checked(ClosedLoop.Result result) {
        failed |= result.errors() > 0;
        return result;
    }

    private void show(Workload workload, int count, List<Side> sides, List<Report> reports) {
        double mine = reports.get(reports.size() - 1).perSecond();
        if (json) {
            Map<String, Object> line = new LinkedHashMap<>();
            line.put("workload", workload.toString());
            line.put("clients", count);
            for (int i = 0; i < sides.size(); i++) {
                String name = sides.get(i).name().replace(", ", "_");
                line.put(name, reports.get(i).fields());
                line.put("tidekv_to_" + name, mine / reports.get(i).perSecond());
            }
            console.line(Json.line(line));
            return;
        }
        for (int i = 0; i < sides.size(); i++) {
            Report report = reports.get(i);
            console.line(
                    String.format(
                            Locale.ROOT,
                            "%-14s %3d clients  %-16s %8.0f /s  p50 %7.3f ms  p99 %7.3f ms"
                                    + "  %6.0f CPU-s per million%s",
                            workload,
                            count,
                            sides.get(i).name(),
                            report.perSecond(),
                            report.result().micros().getValueAtPercentile(50) / 1e3,
                            report.result().micros().getValueAtPercentile(99) / 1e3,
                            report.cpuSecondsPerMillion(),
                            i == sides.size() - 1
                                    ? ""
                                    : String.format(
                                            Locale.ROOT,
                                            "  (tidekv %.2f x)",
                                            mine / report.perSecond())));
        }
    }
}
