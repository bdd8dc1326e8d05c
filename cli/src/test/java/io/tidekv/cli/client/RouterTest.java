package io.tidekv.cli.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import io.tidekv.proto.metapb.Peer;
import io.tidekv.proto.metapb.Region;
import io.tidekv.proto.metapb.RegionEpoch;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class RouterTest {
    private static final int MANY = 500;

    private final AtomicInteger asked = new AtomicInteger();
    private final CompletableFuture<Void> mayAnswer = new CompletableFuture<>();
    private final ConcurrentMap<ByteString, CompletableFuture<Route>> answers =
            new ConcurrentHashMap<>();
    private final Router router = new Router(this::answer);

    @AfterEach
    void close() {
        mayAnswer.complete(null);
        answers.values().forEach(answer -> answer.complete(route(0, 0, 0)));
        router.close();
    }

    private @Nullable Route answer(ByteString key) {
        asked.incrementAndGet();
        mayAnswer.orTimeout(20, TimeUnit.SECONDS).join();
        return answers.get(key).orTimeout(20, TimeUnit.SECONDS).join();
    }

    private static Route route(long confVer, long peer, long store) {
        Region.Builder region = Region.newBuilder().setId(1).setEndKey(text("m"));
        region.setRegionEpoch(RegionEpoch.newBuilder().setVersion(1).setConfVer(confVer));
        return new Route(
                region.build(),
                Peer.newBuilder().setId(peer).setStoreId(store).build(),
                "store-" + store);
    }

    private static ByteString text(String text) {
        return ByteString.copyFromUtf8(text);
    }

    private CompletableFuture<Route> find(String key, @Nullable Route answer) {
        CompletableFuture<Route> ready = new CompletableFuture<>();
        if (answer != null) {
            ready.complete(answer);
        }
        answers.put(text(key), ready);
        return router.find(text(key));
    }

    private static Route await(CompletableFuture<Route> found) throws Exception {
        return found.get(20, TimeUnit.SECONDS);
    }

    @Test
    void whoeverWaitsForOneRegionSharesALookup() throws Exception {
        List<CompletableFuture<Route>> found = new ArrayList<>();
        for (int i = 0; i < MANY; i++) {
            found.add(find("a" + i, route(1, 11, 5)));
        }
        mayAnswer.complete(null);
        for (CompletableFuture<Route> one : found) {
            assertThat(await(one)).isEqualTo(route(1, 11, 5));
        }
        assertThat(asked).as("two threads look up").hasValueLessThanOrEqualTo(2);
    }

    @Test
    void whoeverWaitsForARegionThatNobodyServesHearsItAtOnce() {
        List<CompletableFuture<Route>> found = new ArrayList<>();
        for (int i = 0; i < MANY; i++) {
            found.add(find("a" + i, route(1, 0, 0)));
        }
        mayAnswer.complete(null);
        for (CompletableFuture<Route> one : found) {
            assertThatThrownBy(() -> await(one)).hasRootCauseInstanceOf(KvFailure.class);
        }
        assertThat(asked).as("two threads look up").hasValueLessThanOrEqualTo(2);
    }

    @Test
    void aLateAnswerDoesNotReplaceANewerOne() throws Exception {
        mayAnswer.complete(null);
        CompletableFuture<Route> late = find("a", null);
        assertThat(await(find("b", route(3, 13, 5)))).isEqualTo(route(3, 13, 5));
        answers.get(text("a")).complete(route(2, 12, 6));
        await(late);
        assertThat(await(router.find(text("c")))).isEqualTo(route(3, 13, 5));
    }

    @Test
    void whatAStoreSaysOfItsRegionsNeedsNoLookup() throws Exception {
        Peer there = Peer.newBuilder().setId(11).setStoreId(5).build();
        Peer elsewhere = Peer.newBuilder().setId(21).setStoreId(6).build();
        Region left = half(2, "", "f").addPeers(elsewhere).addPeers(there).build();
        Region right = half(1, "f", "m").addPeers(there).build();
        Route whole = route(1, 11, 5);
        router.forget(whole);
        router.learn(whole, List.of(right, left));
        assertThat(await(router.find(text("a")))).isEqualTo(new Route(left, there, "store-5"));
        assertThat(await(router.find(text("g")))).isEqualTo(new Route(right, there, "store-5"));
        assertThat(asked).hasValue(0);
    }

    private static Region.Builder half(long id, String start, String end) {
        return Region.newBuilder()
                .setId(id)
                .setStartKey(text(start))
                .setEndKey(text(end))
                .setRegionEpoch(RegionEpoch.newBuilder().setVersion(2).setConfVer(1));
    }
}
