package io.tidekv.cli.bench.wal;

import io.tidekv.common.Threads;
import io.tidekv.common.time.Clock;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import org.HdrHistogram.Histogram;

/** What the disk does without us. */
final class DiskProbe {
    private static final int COPY_CHUNK = 1 << 20;

    /** How a record reaches the disk. */
    enum Way {
        /** The file grows with each record; fdatasync. What the segments do. */
        APPEND(false, false),
        /** The file's bytes were written before; fdatasync. */
        PREALLOCATED(true, false),
        /** As APPEND, opened with O_DSYNC. */
        APPEND_DSYNC(false, true),
        /** As PREALLOCATED, opened with O_DSYNC. */
        PREALLOCATED_DSYNC(true, true);

        private final boolean preallocated;
        private final boolean dsync;

        Way(boolean preallocated, boolean dsync) {
            this.preallocated = preallocated;
            this.dsync = dsync;
        }
    }

    private final Path folder;
    private final Clock clock;

    DiskProbe(Path folder, Clock clock) {
        this.folder = folder;
        this.clock = clock;
    }

    /** Durable writes of {@code bytes}, one after the other, for {@code seconds}. */
    Timings appends(Way way, int bytes, double seconds) throws IOException {
        Path file = folder.resolve("probe");
        Histogram micros = new Histogram(3);
        ByteBuffer buffer = ByteBuffer.allocateDirect(bytes);
        try (FileChannel channel = FileChannel.open(file, options(way))) {
            long limit = way.preallocated ? preallocate(channel) : Long.MAX_VALUE;
            long start = clock.monotonicNanos();
            long end = start + (long) (seconds * 1e9);
            long at = 0;
            for (long now = start; now < end; ) {
                buffer.clear();
                channel.write(buffer, at);
                if (!way.dsync) {
                    channel.force(false);
                }
                at = at + 2L * bytes > limit ? 0 : at + bytes;
                long then = now;
                now = clock.monotonicNanos();
                micros.recordValue((now - then) / 1000);
            }
            return new Timings(micros, (clock.monotonicNanos() - start) / 1e9);
        } finally {
            Files.deleteIfExists(file);
        }
    }

    private static Set<OpenOption> options(Way way) {
        return way.dsync
                ? Set.of(
                        StandardOpenOption.CREATE_NEW,
                        StandardOpenOption.WRITE,
                        StandardOpenOption.DSYNC)
                : Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
    }

    private static long preallocate(FileChannel channel) throws IOException {
        ByteBuffer zeros = ByteBuffer.allocateDirect(COPY_CHUNK);
        for (int i = 0; i < 16; i++) {
            channel.write(zeros.clear(), (long) i * COPY_CHUNK);
        }
        channel.force(true);
        return 16L * COPY_CHUNK;
    }

    /**
     * Bytes per second of one of {@code copies} files that are written at the same time, one
     * mebibyte per sync.
     */
    double sequential(int copies, long bytesEach) throws InterruptedException {
        ExecutorService pool = Threads.pool("probe", copies, copies);
        try {
            long start = clock.monotonicNanos();
            List<CompletableFuture<Void>> all = new ArrayList<>();
            for (int i = 0; i < copies; i++) {
                Path file = folder.resolve("copy-" + i);
                all.add(CompletableFuture.runAsync(() -> copy(file, bytesEach), pool));
            }
            all.forEach(CompletableFuture::join);
            return bytesEach * 1e9 / (clock.monotonicNanos() - start);
        } finally {
            pool.shutdownNow();
        }
    }

    private static void copy(Path file, long bytes) {
        ByteBuffer chunk = ByteBuffer.allocateDirect(COPY_CHUNK);
        try (FileChannel channel =
                FileChannel.open(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
            for (long at = 0; at < bytes; at += COPY_CHUNK) {
                channel.write(chunk.clear(), at);
                channel.force(false);
            }
            Files.delete(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** All ways, in the order of {@link Way}. */
    Map<Way, Timings> allWays(int bytes, double seconds) throws IOException {
        Map<Way, Timings> timings = new LinkedHashMap<>();
        for (Way way : Way.values()) {
            timings.put(way, appends(way, bytes, seconds));
        }
        return timings;
    }
}
