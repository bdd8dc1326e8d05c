package io.tidekv.cli.bench.wal;

import io.tidekv.cli.CliException;
import io.tidekv.cli.Console;
import io.tidekv.common.time.Clock;
import io.tidekv.common.time.SystemClock;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code tidekv bench wal}: see the package. */
@Command(
        name = "wal",
        description = {
            "Measure the durable log: leaders here, WAL nodes in processes of their own,",
            "beside a bare append with fdatasync and a bare gRPC echo of the same run.",
            "A warm-up with 64 small appends in flight precedes them all: even a single client and",
            "large entries, few a second, meet compiled code."
        })
public final class WalBenchCommand implements Callable<Integer> {
    private static final int WARM_UP_CLIENTS = 64;
    private static final int WARM_UP_BYTES_MAX = 256;

    @Option(names = "--nodes", description = "WAL nodes (default ${DEFAULT-VALUE}).")
    private int nodes = 3;

    @Option(
            names = "--clients",
            split = ",",
            description = "Appends in flight; a list measures each (default ${DEFAULT-VALUE}).")
    private List<Integer> clients = List.of(1, 64, 512);

    @Option(names = "--size", description = "Bytes of an entry (default ${DEFAULT-VALUE}).")
    private int size = 256;

    @Option(names = "--regions", description = "Logs, spread over (default ${DEFAULT-VALUE}).")
    private int regions = 16;

    @Option(names = "--duration", description = "Seconds of each (default ${DEFAULT-VALUE}).")
    private double duration = 8;

    @Option(
            names = "--warm-up",
            description = "Small appends, 64 in flight, before all (default ${DEFAULT-VALUE}).")
    private long warmUp = 500_000;

    @Option(names = "--idle-regions", description = "Measure regions at rest as well.")
    private int idleRegions;

    @Option(names = "--dir", description = "Folder on the disk to measure; a temporary one.")
    private @Nullable Path dir;

    @Option(names = "--compare-fsync", description = "Measure other ways to sync as well.")
    private boolean compareFsync;

    @Option(names = "--json", description = "Print JSON.")
    private boolean json;

    private final Console console;

    WalBenchCommand(Console console) {
        this.console = console;
    }

    @Override
    public Integer call() throws IOException, InterruptedException {
        check();
        Path base = dir;
        Path folder =
                base == null
                        ? Files.createTempDirectory("tidekv-bench-wal")
                        : Files.createTempDirectory(Files.createDirectories(base), "bench-wal");
        try {
            WalReport report = measure(folder);
            console.line(json ? report.json() : report.text());
            return 0;
        } finally {
            delete(folder);
        }
    }

    private void check() {
        boolean fewClients = clients.isEmpty() || clients.stream().anyMatch(count -> count < 1);
        if (fewClients || size < 1 || regions < 1 || duration <= 0 || warmUp < 0) {
            throw new CliException("--clients, --size, --regions and --duration must be above 0");
        }
        if (nodes < 1 || nodes > 5 || nodes % 2 == 0) {
            throw new CliException("--nodes " + nodes + ": use 1, 3 or 5");
        }
    }

    private WalReport measure(Path folder) throws IOException, InterruptedException {
        Clock clock = SystemClock.INSTANCE;
        DiskProbe disk = new DiskProbe(folder, clock);
        WalReport report = new WalReport(nodes, size, regions);
        report.fsync = disk.appends(DiskProbe.Way.APPEND, size, 2);
        report.copyBytesPerSecond = disk.sequential(nodes, 128L << 20);
        if (compareFsync) {
            report.ways.putAll(disk.allWays(size, 2));
        }
        try (Children children = new Children(folder, clock)) {
            Children.Child echo = children.start("echo", List.of("bench", "echo"));
            report.echo = EchoProbe.run(echo.address(), size, 2, clock);
            echo.process().destroy();
            WalNodes all = WalNodes.start(children, folder, nodes);
            long incarnation = 1;
            if (warmUp > 0) {
                int bytes = Math.min(size, WARM_UP_BYTES_MAX);
                new WalRun(all, incarnation, clock).warmUp(WARM_UP_CLIENTS, regions, bytes, warmUp);
            }
            for (int count : clients) {
                WalRun run = new WalRun(all, ++incarnation, clock);
                report.runs.put(count, run.run(count, Math.min(regions, count), size, duration));
            }
            if (idleRegions > 0) {
                report.idle = new WalRun(all, ++incarnation, clock).idle(idleRegions, duration);
            }
        }
        return report;
    }

    private static void delete(Path folder) throws IOException {
        try (Stream<Path> files = Files.walk(folder)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        }
    }
}
