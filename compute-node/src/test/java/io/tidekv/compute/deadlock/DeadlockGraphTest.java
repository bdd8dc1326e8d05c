package io.tidekv.compute.deadlock;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import io.tidekv.compute.deadlock.DeadlockGraph.Wait;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;

class DeadlockGraphTest {
    private final DeadlockGraph graph = new DeadlockGraph(100);

    @Test
    void aCircleIsToldFromTheHolderOn() {
        assertThat(graph.enter(edge(1, 2))).isEmpty();
        assertThat(graph.enter(edge(2, 3))).isEmpty();
        assertThat(graph.enter(edge(3, 1))).containsExactly(edge(1, 2), edge(2, 3), edge(3, 1));
        assertThat(graph.size()).isEqualTo(2);
    }

    @Test
    void whoLeavesNoLongerCounts() {
        graph.enter(edge(1, 2));
        graph.leave(edge(1, 2));
        graph.leave(edge(1, 2));
        assertThat(graph.enter(edge(2, 1))).isEmpty();
        assertThat(graph.size()).isEqualTo(1);
    }

    @Test
    void oneWaitsForSeveral() {
        graph.enter(edge(1, 2));
        graph.enter(edge(1, 3));
        assertThat(graph.enter(edge(3, 1))).containsExactly(edge(1, 3), edge(3, 1));
        graph.leave(edge(1, 3));
        assertThat(graph.enter(edge(3, 1))).isEmpty();
        assertThat(graph.enter(edge(2, 1))).isNotEmpty();
    }

    @Test
    void whoIsNoLongerThereIsForgotten() {
        graph.enter(edge(1, 2));
        graph.enter(edge(2, 3));
        graph.retain(Set.of(edge(2, 3)));
        assertThat(graph.size()).isEqualTo(1);
        assertThat(graph.enter(edge(3, 1))).isEmpty();
    }

    @Test
    void aFullGraphTakesNoMore() {
        DeadlockGraph small = new DeadlockGraph(1);
        small.enter(edge(1, 2));
        assertThat(small.enter(edge(3, 4))).isEmpty();
        assertThat(small.size()).isEqualTo(1);
    }

    /** The graph never has a circle, so a walk along waits always ends. */
    @Test
    void noCircleIsEverEntered() {
        long seed = 20_261_122;
        Random random = new Random(seed);
        List<Wait> in = new ArrayList<>();
        for (int i = 0; i < 3_000; i++) {
            if (!in.isEmpty() && random.nextInt(3) == 0) {
                graph.leave(in.remove(random.nextInt(in.size())));
                continue;
            }
            Wait wait = edge(random.nextInt(12), random.nextInt(12));
            List<Wait> circle = graph.enter(wait);
            boolean closes = wait.waiter() == wait.holder() || reaches(in, wait);
            assertThat(circle.isEmpty()).as("seed %d, step %d", seed, i).isEqualTo(!closes);
            if (circle.isEmpty() && graph.size() > in.size()) {
                in.add(wait);
            }
        }
    }

    private static boolean reaches(List<Wait> waits, Wait closing) {
        List<Long> open = new ArrayList<>(List.of(closing.holder()));
        List<Long> seen = new ArrayList<>(open);
        while (!open.isEmpty()) {
            long at = open.remove(0);
            if (at == closing.waiter()) {
                return true;
            }
            for (Wait wait : waits) {
                if (wait.waiter() == at && !seen.contains(wait.holder())) {
                    seen.add(wait.holder());
                    open.add(wait.holder());
                }
            }
        }
        return false;
    }

    private static Wait edge(long waiter, long holder) {
        ByteString key = ByteString.copyFromUtf8("k" + holder);
        return new Wait(waiter, holder, key, ByteString.EMPTY);
    }
}
