package io.tidekv.it;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tikv.common.TiSession;
import org.tikv.raw.RawKVClient;
import org.tikv.shade.com.google.protobuf.ByteString;

/** Many threads write values of a megabyte while the regions that they write to are split. */
class LargeValuesTest {
    private static final int VALUES = Integer.getInteger("it.values", 40);
    private static final int THREADS = 20;
    private static final int BYTES = 1 << 20;

    @Test
    void arriveWhileRegionsSplit(@TempDir Path folder) throws Exception {
        List<com.google.protobuf.ByteString> borders = new ArrayList<>();
        for (int i = VALUES / 6; i < VALUES; i += VALUES / 6) {
            borders.add(com.google.protobuf.ByteString.copyFromUtf8(key(i)));
        }
        ExecutorService threads = Executors.newFixedThreadPool(THREADS);
        try (Playground playground = Playground.start(folder.resolve("cluster"));
                TiSession session = TiSession.create(Clients.raw(playground));
                RawKVClient raw = session.createRawClient();
                Splitter splitter = new Splitter(playground, borders, 100)) {
            List<Future<?>> writes = new ArrayList<>();
            for (int i = 0; i < VALUES; i++) {
                int row = i;
                writes.add(threads.submit(() -> raw.put(bytes(key(row)), value(row))));
            }
            for (Future<?> write : writes) {
                write.get(120, TimeUnit.SECONDS);
            }
            splitter.join();
            assertThat(splitter.regions()).isGreaterThan(1);
            for (int i = 0; i < VALUES; i++) {
                assertThat(raw.get(bytes(key(i))).orElseThrow().equals(value(i)))
                        .as("value %s is what was written", i)
                        .isTrue();
            }
        } finally {
            threads.shutdownNow();
        }
    }

    private static String key(int row) {
        return String.format(Locale.ROOT, "big-%04d", row);
    }

    private static ByteString bytes(String text) {
        return ByteString.copyFromUtf8(text);
    }

    private static ByteString value(int row) {
        byte[] value = new byte[BYTES];
        new Random(row).nextBytes(value);
        return ByteString.copyFrom(value);
    }
}
