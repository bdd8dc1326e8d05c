package io.tidekv.pd.ratis;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.tidekv.common.config.HostPort;
import io.tidekv.pd.core.PdState;
import io.tidekv.pd.log.NotLeaderException;
import io.tidekv.proto.pdstate.AllocateIds;
import io.tidekv.proto.pdstate.Command;
import io.tidekv.proto.pdstate.ExtendTso;
import java.io.IOException;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RatisStateLogTest {
    @TempDir Path temp;

    @Test
    void oneNodeKeepsItsStateOverRestartsWithAndWithoutSnapshot() throws Exception {
        RatisOptions options = options("a", Map.of("a", new HostPort("127.0.0.1", 0)), 40);
        long last = 0;
        for (int start = 0; start < 3; start++) {
            try (RatisStateLog log = RatisStateLog.start(options)) {
                awaitLeader(log);
                assertThat(nextId(log)).isEqualTo(last + 1);
                List<CompletableFuture<?>> all = new ArrayList<>();
                for (int i = 0; i < 100; i++) {
                    all.add(log.submit(allocate(1)));
                }
                CompletableFuture.allOf(all.toArray(CompletableFuture[]::new))
                        .get(10, TimeUnit.SECONDS);
                last += 100;
                log.submit(bound(start + 7)).get(10, TimeUnit.SECONDS);
                assertThat(bound(log)).isEqualTo(start + 7);
            }
        }
        try (Stream<Path> files = Files.walk(options.folder())) {
            assertThat(files.filter(p -> p.getFileName().toString().startsWith("snapshot.")))
                    .as("snapshots have been taken")
                    .isNotEmpty();
        }
    }

    @Test
    void aCallerGoesOnWhereItsCallHasCompleted() throws Exception {
        Map<String, HostPort> peers = new LinkedHashMap<>();
        for (String name : List.of("a", "b", "c")) {
            peers.put(name, new HostPort("127.0.0.1", freePort()));
        }
        Map<String, RatisStateLog> logs = new LinkedHashMap<>();
        for (String name : peers.keySet()) {
            logs.put(name, RatisStateLog.start(options(name, peers, 30)));
        }
        try {
            await().atMost(Duration.ofSeconds(60)).until(() -> confirmsInARow(logs));
        } finally {
            logs.values().parallelStream().forEach(RatisStateLog::close);
        }
    }

    /** False when the leader has changed meanwhile. */
    private static boolean confirmsInARow(Map<String, RatisStateLog> logs) throws Exception {
        RatisStateLog leader = logs.get(awaitLeaderOf(logs));
        CompletableFuture<Void> calls = CompletableFuture.completedFuture(null);
        for (int i = 0; i < 20; i++) {
            calls =
                    calls.thenCompose(v -> leader.confirmLeadership())
                            .thenCompose(v -> leader.submit(allocate(1)))
                            .thenCompose(v -> leader.confirmLeadership());
        }
        try {
            calls.get(60, TimeUnit.SECONDS);
            return true;
        } catch (ExecutionException e) {
            return false;
        }
    }

    @Test
    void threeNodesGoOnWithoutTheirLeader() throws Exception {
        Map<String, HostPort> peers = new LinkedHashMap<>();
        for (String name : List.of("a", "b", "c")) {
            peers.put(name, new HostPort("127.0.0.1", freePort()));
        }
        Map<String, RatisStateLog> logs = new LinkedHashMap<>();
        for (String name : peers.keySet()) {
            logs.put(name, RatisStateLog.start(options(name, peers, 30)));
        }
        try {
            String leader = awaitLeaderOf(logs);
            RatisStateLog first = logs.get(leader);
            for (int i = 0; i < 50; i++) {
                first.submit(allocate(1)).get(10, TimeUnit.SECONDS);
            }
            first.confirmLeadership().get(10, TimeUnit.SECONDS);
            for (Map.Entry<String, RatisStateLog> other : logs.entrySet()) {
                if (!other.getKey().equals(leader)) {
                    CompletableFuture<?> refused = other.getValue().submit(allocate(1));
                    assertThatThrownBy(() -> refused.get(10, TimeUnit.SECONDS))
                            .hasRootCauseInstanceOf(NotLeaderException.class)
                            .hasMessageContaining("not leader");
                }
            }
            first.close();
            logs.remove(leader);
            RatisStateLog second = logs.get(awaitLeaderOf(logs));
            assertThat(nextId(second)).isEqualTo(51);
            assertThat(second.submit(allocate(1)).get(10, TimeUnit.SECONDS).getIds().getFirst())
                    .isEqualTo(51);

            // It comes back behind the others' snapshot and follows.
            RatisStateLog back = RatisStateLog.start(options(leader, peers, 30));
            logs.put(leader, back);
            await().atMost(Duration.ofSeconds(10)).until(() -> nextId(back) == 52);
        } finally {
            logs.values().parallelStream().forEach(RatisStateLog::close);
        }
    }

    private RatisOptions options(String name, Map<String, HostPort> peers, long snapshotEvery) {
        return new RatisOptions(
                name,
                temp.resolve(name),
                peers.get(name),
                peers,
                Duration.ofMillis(300),
                snapshotEvery);
    }

    private static void awaitLeader(RatisStateLog log) {
        await().pollInterval(Duration.ofMillis(5)).until(() -> log.leadership().leading());
    }

    private static String awaitLeaderOf(Map<String, RatisStateLog> logs) {
        await().pollInterval(Duration.ofMillis(20))
                .until(() -> logs.values().stream().anyMatch(l -> l.leadership().leading()));
        return logs.entrySet().stream()
                .filter(l -> l.getValue().leadership().leading())
                .findFirst()
                .orElseThrow()
                .getKey();
    }

    private static long nextId(RatisStateLog log) {
        return log.read(s -> s.snapshot().getNextId());
    }

    private static long bound(RatisStateLog log) {
        return log.read(PdState::tsoBoundMillis);
    }

    private static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0)) {
            return socket.getLocalPort();
        }
    }

    private static Command allocate(int count) {
        return Command.newBuilder()
                .setAllocateIds(AllocateIds.newBuilder().setCount(count))
                .build();
    }

    private static Command bound(long millis) {
        return Command.newBuilder()
                .setExtendTso(ExtendTso.newBuilder().setBoundMillis(millis))
                .build();
    }
}
