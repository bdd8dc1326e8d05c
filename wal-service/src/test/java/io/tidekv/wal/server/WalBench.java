package io.tidekv.wal.server;

import io.tidekv.common.config.Settings;
import io.tidekv.proto.wal.WalResponse;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Appends per second to three nodes in this process, over loopback and with real syncs, beside a
 * bare loop of append and sync. By hand: {@code WalBench [folder] [seconds]}.
 */
public final class WalBench {
    private static final int BYTES = 256;

    private final List<TestLeader> leaders = new ArrayList<>();
    private final long endNanos;
    private final AtomicLong done = new AtomicLong();
    private final long[] nanos = new long[1 << 20];
    private final CountDownLatch finished;

    private WalBench(List<WalServer> servers, int clients, Duration time, long store)
            throws Exception {
        finished = new CountDownLatch(clients);
        for (WalServer server : servers) {
            String address = "127.0.0.1:" + server.port();
            TestLeader leader = new TestLeader(77, store, 1, server.walId(), address);
            leaders.add(leader);
            while (!leader.isConnected()) {
                Thread.onSpinWait();
            }
            for (long region = 1; region <= clients; region++) {
                leader.create(store * 1000 + region);
                leader.open(store * 1000 + region, 1);
            }
        }
        endNanos = System.nanoTime() + time.toNanos();
        for (long region = 1; region <= clients; region++) {
            next(store * 1000 + region, 0);
        }
    }

    /** Appends one entry to all, and the next when two have answered. */
    private void next(long region, long prev) {
        long start = System.nanoTime();
        if (start > endNanos) {
            finished.countDown();
            return;
        }
        AtomicInteger acks = new AtomicInteger();
        for (TestLeader leader : leaders) {
            leader.appendLater(region, 1, prev, prev, BYTES)
                    .whenComplete(
                            (WalResponse answer, Throwable error) -> {
                                if (error != null || !answer.getAppend().getMatched()) {
                                    System.err.println("not appended: " + answer + error);
                                } else if (acks.incrementAndGet() == 2) {
                                    int at = (int) (done.getAndIncrement() % nanos.length);
                                    nanos[at] = System.nanoTime() - start;
                                    next(region, prev + 1);
                                }
                            });
        }
    }

    private String finish(int clients, Duration time) throws InterruptedException {
        finished.await();
        leaders.forEach(TestLeader::close);
        int count = (int) Math.min(done.get(), nanos.length);
        Arrays.sort(nanos, 0, count);
        return String.format(
                Locale.ROOT,
                "%3d in flight: %6d/s, p50 %.2f ms, p99 %.2f ms",
                clients,
                done.get() * 1000 / time.toMillis(),
                nanos[count / 2] / 1e6,
                nanos[count * 99 / 100] / 1e6);
    }

    private static String probe(Path folder, int bytes) throws IOException {
        Path file = folder.resolve("probe");
        int count = 0;
        long start = System.nanoTime();
        try (FileChannel channel =
                FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
            ByteBuffer buffer = ByteBuffer.allocateDirect(bytes);
            for (; System.nanoTime() - start < 2_000_000_000L; count++) {
                channel.write(buffer.clear(), (long) count * bytes);
                channel.force(false);
            }
        }
        Files.delete(file);
        return String.format(
                Locale.ROOT, "append + force of %d bytes, one file: %d/s", bytes, count / 2);
    }

    public static void main(String[] args) throws Exception {
        Path folder =
                args.length > 0 ? Path.of(args[0]) : Files.createTempDirectory("tidekv-wal-bench");
        Duration time = Duration.ofSeconds(args.length > 1 ? Long.parseLong(args[1]) : 5);
        System.out.println(probe(folder, 512));
        List<WalServer> servers = new ArrayList<>();
        try (FakePd pd = new FakePd(77, 0)) {
            for (String name : List.of("a", "b", "c")) {
                Map<String, String> settings =
                        Map.of(
                                "addr",
                                "127.0.0.1:0",
                                "status-addr",
                                "",
                                "pd-endpoints",
                                "127.0.0.1:" + pd.port(),
                                "data-dir",
                                folder.resolve(name).toString());
                WalServer server = WalServer.start(Settings.load(WalConfig.class, null, settings));
                servers.add(server);
                server.awaitRegistered(Duration.ofSeconds(5));
            }
            long store = 1;
            for (int clients : new int[] {64, 1, 8, 64, 256}) {
                WalBench bench = new WalBench(servers, clients, time, store++);
                System.out.println(bench.finish(clients, time));
            }
        } finally {
            servers.forEach(WalServer::close);
        }
        System.out.println(probe(folder, 512));
        try (var files = Files.walk(folder)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        }
    }
}
