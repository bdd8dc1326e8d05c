package io.tidekv.compute.region;

import io.tidekv.compute.region.core.LeaderOutbox;
import io.tidekv.proto.wal.WalRequest;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BiPredicate;

/**
 * Requests of one round, collected per WAL node and sent as one message. What a link has no room
 * for stays, in order, until the next round; its amount is bounded by the leaders' windows. Belongs
 * to one loop.
 */
final class Outbox implements LeaderOutbox {
    /** Requests of one message, so that one slow flush does not become one huge message. */
    private static final int MESSAGE_REQUESTS_MAX = 4096;

    private final BiPredicate<Long, List<WalRequest>> links;
    private final Map<Long, Deque<WalRequest>> waiting = new LinkedHashMap<>();

    /** {@code links} sends to a node, or says that it cannot now. */
    Outbox(BiPredicate<Long, List<WalRequest>> links) {
        this.links = links;
    }

    @Override
    public void send(long walId, WalRequest request) {
        waiting.computeIfAbsent(walId, id -> new ArrayDeque<>()).add(request);
    }

    /** Sends what there is room for. */
    void flush() {
        waiting.forEach(
                (walId, queue) -> {
                    while (!queue.isEmpty()) {
                        List<WalRequest> message = new ArrayList<>();
                        for (WalRequest request : queue) {
                            if (message.size() == MESSAGE_REQUESTS_MAX) {
                                break;
                            }
                            message.add(request);
                        }
                        if (!links.test(walId, message)) {
                            return;
                        }
                        for (int i = 0; i < message.size(); i++) {
                            queue.removeFirst();
                        }
                    }
                });
    }

    /** The connection is gone: what waits for it is lost, as the leaders are told. */
    void drop(long walId) {
        waiting.remove(walId);
    }

    /** Whether something waits for room. */
    boolean isBackedUp() {
        for (Deque<WalRequest> queue : waiting.values()) {
            if (!queue.isEmpty()) {
                return true;
            }
        }
        return false;
    }
}
