package io.tidekv.it;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicLong;
import java.util.zip.CRC32C;
import org.tikv.kvproto.Kvrpcpb.KvPair;
import org.tikv.raw.RawKVClient;
import org.tikv.shade.com.google.protobuf.ByteString;

/** Loads rows through a client and reads all of them back by checksum. */
final class RowLoad {
    private static final int BATCH = 500;
    private static final int THREADS = 4;

    private final Rows rows;
    private final RawKVClient client;

    RowLoad(Rows rows, RawKVClient client) {
        this.rows = rows;
        this.client = client;
    }

    /** Writes rows {@code [from, to)}; returns when all are acknowledged. */
    void write(long from, long to) throws Exception {
        inParallel(
                from,
                to,
                (start, end) -> {
                    Map<ByteString, ByteString> batch = new HashMap<>();
                    for (long row = start; row < end; row++) {
                        batch.put(rows.key(row), rows.value(row));
                    }
                    client.batchPut(batch);
                });
    }

    /**
     * Reads rows {@code [from, to)} and compares number of rows and checksum of all with what they
     * must be.
     */
    void verify(long from, long to) throws Exception {
        AtomicLong expected = new AtomicLong();
        AtomicLong found = new AtomicLong();
        AtomicLong count = new AtomicLong();
        inParallel(
                from,
                to,
                (start, end) -> {
                    List<ByteString> keys = new ArrayList<>();
                    for (long row = start; row < end; row++) {
                        keys.add(rows.key(row));
                        expected.addAndGet(checksum(rows.key(row), rows.value(row)));
                    }
                    for (KvPair pair : client.batchGet(keys)) {
                        found.addAndGet(checksum(pair.getKey(), pair.getValue()));
                        count.incrementAndGet();
                    }
                });
        assertThat(count.get()).as("rows found").isEqualTo(to - from);
        assertThat(found.get()).as("sum of the rows' checksums").isEqualTo(expected.get());
    }

    private interface Part {
        void run(long from, long to) throws Exception;
    }

    private static void inParallel(long from, long to, Part part) throws Exception {
        AtomicLong next = new AtomicLong(from);
        ExecutorService threads = Executors.newFixedThreadPool(THREADS);
        try {
            List<Future<?>> running = new ArrayList<>();
            for (int i = 0; i < THREADS; i++) {
                running.add(
                        threads.submit(
                                () -> {
                                    long start;
                                    while ((start = next.getAndAdd(BATCH)) < to) {
                                        part.run(start, Math.min(start + BATCH, to));
                                    }
                                    return null;
                                }));
            }
            for (Future<?> future : running) {
                future.get();
            }
        } finally {
            threads.shutdownNow();
        }
    }

    private static long checksum(ByteString key, ByteString value) {
        CRC32C crc = new CRC32C();
        crc.update(key.asReadOnlyByteBuffer());
        crc.update(value.asReadOnlyByteBuffer());
        return crc.getValue();
    }
}
