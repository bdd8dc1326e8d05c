package io.tidekv.compute.deadlock;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.google.protobuf.ByteString;
import io.tidekv.common.time.ThreadScheduler;
import io.tidekv.compute.deadlock.DeadlockGraph.Wait;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class DetectorTableTest {
    private final ThreadScheduler timers = new ThreadScheduler("test-timers");
    private final AtomicBoolean isDetector = new AtomicBoolean(true);
    private final AtomicInteger ended = new AtomicInteger();
    private final DetectorTable table = new DetectorTable(isDetector::get, timers);

    @AfterEach
    void close() {
        timers.close();
    }

    @Test
    void waitsOfSeveralSessionsCloseACircle() {
        open().enter(edge(1, 2));
        open().enter(edge(2, 3));
        assertThat(open().enter(edge(3, 1))).containsExactly(edge(1, 2), edge(2, 3), edge(3, 1));
    }

    @Test
    void whatASessionHasToldGoesWithIt() {
        DetectorTable.Session lost = open();
        lost.enter(edge(1, 2));
        lost.enter(edge(1, 2));
        lost.enter(edge(5, 6));
        DetectorTable.Session other = open();
        other.enter(edge(1, 2));
        lost.close();
        assertThat(table.size()).isEqualTo(1);
        assertThat(other.enter(edge(2, 1))).as("its own copy stays").isNotEmpty();
        other.leave(edge(1, 2));
        other.leave(edge(1, 2));
        assertThat(other.enter(edge(2, 1))).isEmpty();
    }

    @Test
    void aTransactionLeavesAsAWhole() {
        DetectorTable.Session session = open();
        session.enter(edge(1, 2));
        session.enter(edge(1, 3));
        session.enter(edge(4, 3));
        session.leaveAll(1);
        assertThat(table.size()).isEqualTo(1);
    }

    @Test
    void aStoreThatIsNotTheDetectorTakesNoSession() {
        isDetector.set(false);
        assertThat(table.open(ended::incrementAndGet)).isNull();
    }

    @Test
    void sessionsEndWhenTheRoleIsLost() {
        DetectorTable.Session left = open();
        left.enter(edge(1, 2));
        DetectorTable.Session right = open();
        isDetector.set(false);
        await().until(() -> ended.get() == 2);
        assertThat(table.size()).isZero();
        assertThat(right.enter(edge(2, 1))).isEmpty();
        assertThat(table.size()).as("a session that is over tells nothing").isZero();
    }

    @Test
    void keysTakeABoundedRoom() {
        DetectorTable.Session session = open();
        ByteString large = ByteString.copyFrom(new byte[1 << 20]);
        for (int i = 0; i < 100; i++) {
            session.enter(new Wait(i, 1000, large, ByteString.EMPTY));
        }
        assertThat(table.size()).isBetween(30, 32);
        session.close();
        assertThat(open().enter(new Wait(1, 2, large, ByteString.EMPTY))).isEmpty();
        assertThat(table.size()).as("room is given back").isEqualTo(1);
    }

    private DetectorTable.Session open() {
        return Objects.requireNonNull(table.open(ended::incrementAndGet));
    }

    private static Wait edge(long waiter, long holder) {
        return new Wait(waiter, holder, ByteString.copyFromUtf8("k"), ByteString.EMPTY);
    }
}
