package io.tidekv.cli.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import io.tidekv.proto.errorpb.Error;
import io.tidekv.proto.errorpb.NotLeader;
import io.tidekv.proto.errorpb.ServerIsBusy;
import io.tidekv.proto.kvrpcpb.KvPair;
import io.tidekv.proto.kvrpcpb.LockInfo;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class KvClientTest {
    private FakeCluster cluster;
    private KvClient client;

    @BeforeEach
    void start() throws IOException {
        cluster = new FakeCluster();
        client = new KvClient(cluster.address(), true);
    }

    @AfterEach
    void stop() {
        client.close();
        cluster.close();
    }

    private static ByteString text(String text) {
        return ByteString.copyFromUtf8(text);
    }

    private static <T> T await(CompletableFuture<T> future) throws Exception {
        return future.get(20, TimeUnit.SECONDS);
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void readsWhatWasWritten(boolean batched) throws Exception {
        try (KvClient own = new KvClient(cluster.address(), batched)) {
            RawKv kv = new RawKv(own);
            await(kv.put(text("a"), text("1"), 0));
            await(kv.put(text("z"), text("2"), 0));
            await(kv.delete(text("z")));
            assertThat(await(kv.get(text("a")))).contains(text("1"));
            assertThat(await(kv.get(text("z")))).isEmpty();
            assertThat(cluster.store.batches.get() > 0).isEqualTo(batched);
        }
    }

    @Test
    void scansOverTheBorderOfRegions() throws Exception {
        for (String key : List.of("k", "l", "m", "n", "o")) {
            cluster.data().put(text(key), text("v" + key));
        }
        RawKv kv = new RawKv(client);
        assertThat(await(kv.scan(text("l"), text("o"), 10)))
                .extracting(KvPair::getKey)
                .containsExactly(text("l"), text("m"), text("n"));
        assertThat(await(kv.scan(ByteString.EMPTY, ByteString.EMPTY, 2))).hasSize(2);
    }

    @Test
    void triesAgainWhenTheRegionHasMoved() throws Exception {
        RawKv kv = new RawKv(client);
        await(kv.put(text("a"), text("1"), 0));
        int lookups = cluster.routeRequests.get();
        cluster.store.regionErrors.add(
                Error.newBuilder().setNotLeader(NotLeader.getDefaultInstance()).build());
        cluster.store.regionErrors.add(
                Error.newBuilder().setServerIsBusy(ServerIsBusy.getDefaultInstance()).build());
        await(kv.put(text("a"), text("2"), 0));
        assertThat(cluster.data()).containsEntry(text("a"), text("2"));
        assertThat(cluster.routeRequests.get())
                .as("asked PD again once: being busy is no reason to")
                .isEqualTo(lookups + 1);
    }

    @Test
    void followsANewEpoch() throws Exception {
        RawKv kv = new RawKv(client);
        await(kv.put(text("a"), text("1"), 0));
        cluster.version.incrementAndGet();
        assertThat(await(kv.get(text("a")))).contains(text("1"));
    }

    @Test
    void passesOnWhatTheServerRefuses() {
        assertThatThrownBy(() -> await(new RawKv(client).put(text("a"), text("1"), 60)))
                .hasRootCauseInstanceOf(KvFailure.class)
                .hasRootCauseMessage("ttl is not enabled");
    }

    @Test
    void givesTimestampsInBatchesWithoutRepeats() throws Exception {
        List<CompletableFuture<Long>> asked = new ArrayList<>();
        for (int i = 0; i < 1000; i++) {
            asked.add(client.timestamp());
        }
        Set<Long> given = new HashSet<>();
        for (CompletableFuture<Long> one : asked) {
            given.add(await(one));
        }
        assertThat(given).hasSize(1000);
        assertThat(cluster.tsoRequests.get()).isLessThan(500);
        assertThat(await(client.timestamp())).isGreaterThan(java.util.Collections.max(given));
    }

    @Test
    void asksForTimestampsAgainWhilePdElects() throws Exception {
        cluster.refusedStreams.set(3);
        assertThat(await(client.timestamp())).isPositive();
        cluster.brokenStreams.set(2);
        assertThat(await(client.timestamp())).isPositive();
        assertThat(cluster.brokenStreams).hasValue(0);
    }

    @Test
    void commitsInTwoPhases() throws Exception {
        TxnKv kv = new TxnKv(client);
        await(kv.put(text("a"), text("1")));
        assertThat(await(kv.get(text("a")))).contains(text("1"));
        assertThat(await(kv.get(text("b")))).isEmpty();
    }

    @Test
    void removesTheLockOfADeadTransaction() throws Exception {
        LockInfo lock =
                LockInfo.newBuilder()
                        .setKey(text("a"))
                        .setPrimaryLock(text("a"))
                        .setLockVersion(3)
                        .build();
        cluster.store.locks.add(lock);
        await(new TxnKv(client).put(text("a"), text("1")));
        cluster.store.locks.add(lock);
        assertThat(await(new TxnKv(client).get(text("a")))).contains(text("1"));
        assertThat(cluster.store.locks).isEmpty();
    }

    @Test
    void manyAtOnceShareMessages() throws Exception {
        RawKv kv = new RawKv(client);
        await(kv.put(text("warm"), text("up"), 0));
        List<CompletableFuture<Void>> puts = new ArrayList<>();
        for (int i = 0; i < 2000; i++) {
            puts.add(kv.put(text("k" + i), text("v"), 0));
        }
        for (CompletableFuture<Void> put : puts) {
            await(put);
        }
        assertThat(cluster.store.batched.get()).isEqualTo(2001);
        assertThat(cluster.data()).hasSize(2001);
    }
}
