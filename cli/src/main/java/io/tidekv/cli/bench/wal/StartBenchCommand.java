package io.tidekv.cli.bench.wal;

import com.google.protobuf.ByteString;
import io.tidekv.cli.CliException;
import io.tidekv.cli.Console;
import io.tidekv.cli.Json;
import io.tidekv.common.Randomness;
import io.tidekv.common.config.DataSize;
import io.tidekv.common.time.Clock;
import io.tidekv.common.time.SystemClock;
import io.tidekv.proto.region.Entry;
import io.tidekv.proto.region.EntryKind;
import io.tidekv.proto.wal.VoterMeta;
import io.tidekv.wal.core.VoterNode;
import io.tidekv.wal.core.VoterRules;
import io.tidekv.wal.storage.DiskWalFiles;
import io.tidekv.wal.storage.SegmentStore;
import io.tidekv.wal.storage.StorageOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code tidekv bench wal-start}: how long a WAL node reads its segments before it serves. */
@Command(
        name = "wal-start",
        description =
                "Fill the segments of a WAL node, all of it live, and measure their recovery.")
public final class StartBenchCommand implements Callable<Integer> {
    private static final UUID NODE = new UUID(1, 2);
    private static final int COMMIT_BYTES = 4 << 20;

    @Option(names = "--dir", required = true, description = "Folder on the disk to measure.")
    private Path dir = Path.of("");

    @Option(names = "--regions", description = "Regions (default ${DEFAULT-VALUE}).")
    private int regions = 10_000;

    @Option(names = "--bytes", description = "Bytes of all entries (default ${DEFAULT-VALUE}).")
    private String bytes = "2GB";

    @Option(names = "--size", description = "Bytes of an entry (default ${DEFAULT-VALUE}).")
    private int size = 1024;

    @Option(names = "--json", description = "Print JSON.")
    private boolean json;

    private final Console console;

    StartBenchCommand(Console console) {
        this.console = console;
    }

    @Override
    public Integer call() throws IOException {
        if (regions < 1 || size < 1) {
            throw new CliException("--regions and --size must be above 0");
        }
        Path folder = Files.createTempDirectory(Files.createDirectories(dir), "wal-start");
        try {
            fill(folder);
            Map<String, Object> found = new LinkedHashMap<>();
            found.put("regions", regions);
            found.put("bytes", DataSize.parse(bytes).bytes());
            found.put("value_size", size);
            found.put("start_seconds", start(folder));
            dropIndexes(folder);
            found.put("start_without_indexes_seconds", start(folder));
            console.line(json ? Json.line(found) : text(found));
            return 0;
        } finally {
            try (Stream<Path> files = Files.list(folder)) {
                for (Path file : files.toList()) {
                    Files.delete(file);
                }
            }
            Files.delete(folder);
        }
    }

    private static String text(Map<String, Object> found) {
        StringBuilder out = new StringBuilder();
        found.forEach(
                (name, value) -> out.append(String.format(Locale.ROOT, "%-32s %s%n", name, value)));
        return out.toString().stripTrailing();
    }

    private static SegmentStore open(Path folder) throws IOException {
        return SegmentStore.open(new DiskWalFiles(folder), NODE, new StorageOptions(64L << 20, 0));
    }

    private void fill(Path folder) throws IOException {
        long count = DataSize.parse(bytes).bytes() / size;
        byte[] payload = new byte[size];
        Randomness.seeded(1).nextBytes(payload);
        ByteString data = ByteString.copyFrom(payload);
        try (SegmentStore store = open(folder)) {
            for (long region = 1; region <= regions; region++) {
                store.putMeta(region, VoterMeta.newBuilder().setTerm(1).build());
            }
            long pending = 0;
            for (long i = 0; i < count; i++) {
                Entry entry =
                        Entry.newBuilder()
                                .setIndex(1 + i / regions)
                                .setTerm(1)
                                .setKind(EntryKind.WRITE)
                                .setData(data)
                                .build();
                store.append(1 + i % regions, List.of(entry));
                pending += size;
                if (pending >= COMMIT_BYTES) {
                    store.commit();
                    store.maintain(0);
                    pending = 0;
                }
            }
            store.commit();
            store.maintain(0);
        }
    }

    /** Seconds until the voters know all their regions. */
    private double start(Path folder) throws IOException {
        Clock clock = SystemClock.INSTANCE;
        long began = clock.monotonicNanos();
        try (SegmentStore store = open(folder)) {
            VoterNode node = new VoterNode(store, VoterRules.RIGHT, 1, clock.read());
            double seconds = (clock.monotonicNanos() - began) / 1e9;
            if (node.regionCount() != regions) {
                throw new CliException("found " + node.regionCount() + " regions");
            }
            return Math.round(seconds * 1000) / 1000.0;
        }
    }

    private static void dropIndexes(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            for (Path file : files.filter(name -> name.toString().endsWith(".idx")).toList()) {
                Files.delete(file);
            }
        }
    }
}
