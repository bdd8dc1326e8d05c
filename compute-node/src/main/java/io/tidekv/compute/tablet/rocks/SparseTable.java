package io.tidekv.compute.tablet.rocks;

import io.tidekv.compute.tablet.rocks.FileIndex.File;
import io.tidekv.compute.tablet.table.GranuleMap;
import io.tidekv.compute.tablet.table.GranuleMap.Run;
import io.tidekv.objects.hydrate.SstCache;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;

/**
 * A table file that is here in part: of full size, with its end and some granules; the rest is a
 * hole, which RocksDB takes for damage. RocksDB may hold the file open for as long as it likes, so
 * it is never replaced by another one with holes: it is filled in place, emptied in place, and in
 * the end completed in place. What is here is only known in memory. Thread-safe.
 */
final class SparseTable {
    private final File file;
    private final Path path;
    private final GranuleMap map;
    private final SstCache cache;
    private final LongConsumer account;
    private final BitSet filled = new BitSet();
    private final Map<Integer, CompletableFuture<Void>> coming = new HashMap<>();
    private long filledBytes;
    private int uses;
    private boolean promoting;

    /** Nothing is a hole any more, and nothing is written any more. */
    private boolean whole;

    /**
     * @param path where the file is going to be
     * @param account told how many bytes more, or fewer, are on the disk
     */
    SparseTable(File file, Path path, GranuleMap map, SstCache cache, LongConsumer account) {
        this.file = file;
        this.path = path;
        this.map = map;
        this.cache = cache;
        this.account = account;
    }

    /** Writes a file of full size that has only its end. */
    static void write(Path target, long size, byte[] tail) throws IOException {
        try (FileChannel out =
                FileChannel.open(
                        target,
                        StandardOpenOption.CREATE,
                        StandardOpenOption.TRUNCATE_EXISTING,
                        StandardOpenOption.WRITE)) {
            write(out, size - tail.length, tail);
        }
    }

    private static void write(FileChannel out, long at, byte[] bytes) throws IOException {
        long position = at;
        for (ByteBuffer left = ByteBuffer.wrap(bytes); left.hasRemaining(); ) {
            position += out.write(left, position);
        }
    }

    File file() {
        return file;
    }

    GranuleMap map() {
        return map;
    }

    /** Keeps the granules that are here and come until {@link #release}. */
    synchronized void use() {
        uses++;
    }

    synchronized void release() {
        uses--;
    }

    /** Bytes that can be given up. */
    synchronized long filledBytes() {
        return filledBytes;
    }

    /** It is not written to any more; says how many bytes of granules were here. */
    synchronized long abandon() {
        whole = true;
        return filledBytes;
    }

    synchronized boolean isFilled(Run run) {
        return whole || filled.nextClearBit(run.from()) > run.to();
    }

    /** Whether it should be fetched whole from now on; says so once, until {@link #demote}. */
    synchronized boolean promote(int percent) {
        if (promoting || whole || filledBytes * 100 < map.dataBytes() * percent) {
            return false;
        }
        promoting = true;
        return true;
    }

    synchronized void demote() {
        promoting = false;
    }

    private record Gap(Run run, CompletableFuture<Void> done) {}

    /**
     * Begins to fetch what is missing of these granules and not coming yet, neighbours with one
     * request. Returns what to wait for: nothing when all of it is here.
     */
    List<CompletableFuture<Void>> fill(Run run) {
        List<CompletableFuture<Void>> waits = new ArrayList<>();
        List<Gap> gaps = new ArrayList<>();
        synchronized (this) {
            for (int granule = run.from(); !whole && granule <= run.to(); granule++) {
                CompletableFuture<Void> other = coming.get(granule);
                if (other != null) {
                    waits.add(other);
                } else if (!filled.get(granule)) {
                    int from = granule;
                    while (granule < run.to()
                            && !filled.get(granule + 1)
                            && !coming.containsKey(granule + 1)) {
                        granule++;
                    }
                    Gap gap = new Gap(new Run(from, granule), new CompletableFuture<>());
                    for (int i = from; i <= granule; i++) {
                        coming.put(i, gap.done);
                    }
                    gaps.add(gap);
                    waits.add(gap.done);
                }
            }
        }
        for (Gap gap : gaps) {
            long begin = map.begin(gap.run.from());
            int length = Math.toIntExact(map.end(gap.run.to()) - begin);
            cache.fetchRange(file.object(), begin, length)
                    .whenComplete((bytes, failure) -> arrived(gap, bytes, failure));
        }
        return waits;
    }

    private void arrived(Gap gap, byte @Nullable [] bytes, @Nullable Throwable failure) {
        Throwable problem = failure;
        try {
            if (bytes != null) {
                store(gap.run, bytes);
            }
        } catch (IOException | RuntimeException e) {
            problem = e;
        }
        synchronized (this) {
            for (int granule = gap.run.from(); granule <= gap.run.to(); granule++) {
                coming.remove(granule);
            }
        }
        if (problem == null) {
            gap.done.complete(null);
        } else {
            gap.done.completeExceptionally(problem);
        }
    }

    private void store(Run run, byte[] bytes) throws IOException {
        synchronized (this) {
            if (whole) {
                return;
            }
            try (FileChannel out = FileChannel.open(path, StandardOpenOption.WRITE)) {
                write(out, map.begin(run.from()), bytes);
            } catch (NoSuchFileException e) {
                // RocksDB has compacted it away.
                return;
            }
            filled.set(run.from(), run.to() + 1);
            filledBytes += bytes.length;
        }
        account.accept(bytes.length);
    }

    /**
     * Fills all holes from a whole copy, so that readers that are open find everything, too. From
     * now on the file is not written to.
     */
    synchronized void complete(Path copy) throws IOException {
        if (whole) {
            return;
        }
        try (FileChannel in = FileChannel.open(copy, StandardOpenOption.READ);
                FileChannel out = FileChannel.open(path, StandardOpenOption.WRITE)) {
            long size = in.size();
            for (long at = 0; at < size; ) {
                at += in.transferTo(at, size - at, out.position(at));
            }
        } catch (NoSuchFileException e) {
            // RocksDB has compacted it away, or it has been lost: the copy takes its place.
        }
        whole = true;
    }

    /** Gives up all granules unless somebody uses them; says how many bytes that frees. */
    long evict() throws IOException {
        long freed;
        synchronized (this) {
            if (whole || uses > 0 || filledBytes == 0) {
                return 0;
            }
            try (FileChannel out =
                    FileChannel.open(path, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
                byte[] tail = new byte[Math.toIntExact(out.size() - map.dataBytes())];
                for (ByteBuffer left = ByteBuffer.wrap(tail); left.hasRemaining(); ) {
                    if (out.read(left, map.dataBytes() + left.position()) < 0) {
                        throw new IOException(path + " ends early");
                    }
                }
                out.truncate(0);
                write(out, map.dataBytes(), tail);
            } catch (NoSuchFileException e) {
                // There is nothing left to give up.
            }
            filled.clear();
            freed = filledBytes;
            filledBytes = 0;
        }
        account.accept(-freed);
        return freed;
    }
}
