package io.tidekv.cli.bench;

import com.google.protobuf.ByteString;
import io.tidekv.cli.CliException;
import io.tidekv.cli.Console;
import io.tidekv.common.Randomness;
import io.tidekv.common.time.SystemClock;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/**
 * {@code tidekv bench fsync}: append and sync, one at a time: the floor under every durable write
 * of this disk.
 */
@Command(name = "fsync", description = "Bare appends with fdatasync, to compare with.")
final class FsyncCommand implements Callable<Integer> {
    @Option(names = "--dir", required = true, description = "Folder on the disk to measure.")
    private Path dir = Path.of("");

    @Option(names = "--value-size", description = "Bytes of an append (default ${DEFAULT-VALUE}).")
    private int valueSize = 256;

    @Option(names = "--appends", description = "How many (default ${DEFAULT-VALUE}).")
    private long appends = 10_000;

    @Option(names = "--json", description = "Print JSON.")
    private boolean json;

    private final Console console;

    FsyncCommand(Console console) {
        this.console = console;
    }

    @Override
    public Integer call() throws IOException, InterruptedException {
        if (valueSize < 1 || appends < 1) {
            throw new CliException("--value-size and --appends must be above 0");
        }
        ByteString value = Workload.value(valueSize, Randomness.seeded(valueSize));
        Path file = Files.createTempFile(dir, "fsync-probe", ".tmp");
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
            ClosedLoop loop = new ClosedLoop(key -> append(channel, value), SystemClock.INSTANCE);
            ClosedLoop.Result result = loop.once(1, appends);
            Report report = new Report("fsync", 1, valueSize, appends, result, Map.of());
            console.line(json ? report.json() : report.text());
            return 0;
        } finally {
            Files.deleteIfExists(file);
        }
    }

    private static CompletableFuture<?> append(FileChannel channel, ByteString value) {
        try {
            ByteBuffer bytes = value.asReadOnlyByteBuffer();
            while (bytes.hasRemaining()) {
                channel.write(bytes);
            }
            channel.force(false);
            return CompletableFuture.completedFuture(null);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
