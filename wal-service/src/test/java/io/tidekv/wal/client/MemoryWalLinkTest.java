package io.tidekv.wal.client;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidekv.common.time.ManualClock;
import io.tidekv.proto.region.Bootstrap;
import io.tidekv.proto.region.Origin;
import io.tidekv.proto.region.Owner;
import io.tidekv.proto.region.VoterConfig;
import io.tidekv.proto.wal.CreateRequest;
import io.tidekv.proto.wal.WalRequest;
import io.tidekv.proto.wal.WalResponse;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import org.junit.jupiter.api.Test;

class MemoryWalLinkTest implements WalLink.Listener {
    private final Queue<Runnable> tasks = new ArrayDeque<>();
    private final List<String> events = new ArrayList<>();
    private final MemoryWalNode node = new MemoryWalNode(4, new ManualClock());

    @Override
    public void onConnected(long walId) {
        events.add("connected " + walId);
    }

    @Override
    public void onDisconnected(long walId, String reason) {
        events.add("disconnected");
    }

    @Override
    public void onResponses(long walId, List<WalResponse> responses) {
        responses.forEach(response -> events.add(response.getBodyCase().toString()));
    }

    private void runAll() {
        while (!tasks.isEmpty()) {
            tasks.remove().run();
        }
    }

    @Test
    void answersAndBreaksAsTheRealOneDoes() {
        Owner owner = Owner.newBuilder().setStoreId(1).setIncarnation(1).build();
        WalLink link =
                new MemoryWalLinks(owner, Map.of(4L, node), tasks::add).connect(4, "x", this);
        Origin.Builder origin = Origin.newBuilder().setBootstrap(Bootstrap.getDefaultInstance());
        VoterConfig.Builder config = VoterConfig.newBuilder().setGeneration(1).addWalIds(4);
        WalRequest create =
                WalRequest.newBuilder()
                        .setRegionId(1)
                        .setCreate(CreateRequest.newBuilder().setOrigin(origin).setConfig(config))
                        .build();
        assertThat(link.send(List.of(create))).as("not connected yet").isFalse();
        runAll();
        assertThat(link.send(List.of(create))).isTrue();
        runAll();
        node.stop();
        assertThat(link.send(List.of(create))).isTrue();
        runAll();
        assertThat(link.send(List.of(create))).isFalse();
        node.start();
        runAll();
        link.close();
        node.stop();
        runAll();
        assertThat(events).containsExactly("connected 4", "CREATE", "disconnected", "connected 4");
        assertThat(node.view(1)).isNotNull();
    }
}
