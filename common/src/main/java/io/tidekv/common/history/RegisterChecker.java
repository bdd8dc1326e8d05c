package io.tidekv.common.history;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Comparator;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Linearizability of registers: there is an order of the operations of each key, in agreement with
 * real time, in which every read sees the last write. Searched for as Wing and Gong do, with the
 * states that led nowhere remembered (Lowe).
 */
public final class RegisterChecker {
    private final List<RegisterOp> ops;
    private final Node head = new Node(-1, false, 0);
    private final Set<State> visited = new HashSet<>();
    private final Deque<Step> steps = new ArrayDeque<>();
    private BitSet placed = new BitSet();
    private @Nullable String value;
    private int sureToPlace;
    private long deepest;
    private @Nullable RegisterOp stuck;

    /** A call or a return of an operation, in a list by time. */
    private static final class Node {
        final int op;
        final boolean isReturn;
        final long at;
        @Nullable Node previous;
        @Nullable Node next;

        /** Of a call: its return, unless that never came. */
        @Nullable Node end;

        Node(int op, boolean isReturn, long at) {
            this.op = op;
            this.isReturn = isReturn;
            this.at = at;
        }

        void unlink() {
            Objects.requireNonNull(previous).next = next;
            if (next != null) {
                next.previous = previous;
            }
        }

        void relink() {
            Objects.requireNonNull(previous).next = this;
            if (next != null) {
                next.previous = this;
            }
        }
    }

    private record State(BitSet placed, @Nullable String value) {}

    private record Step(Node call, @Nullable String before) {}

    private RegisterChecker(List<RegisterOp> ops) {
        this.ops = ops;
    }

    /** What is wrong, one sentence for each register; empty when nothing is. */
    public static List<String> check(List<RegisterOp> history) {
        Map<String, List<RegisterOp>> byKey = new TreeMap<>();
        history.forEach(op -> byKey.computeIfAbsent(op.key(), k -> new ArrayList<>()).add(op));
        List<String> found = new ArrayList<>();
        byKey.forEach(
                (key, ops) -> {
                    String wrong = wrong(ops);
                    if (wrong != null) {
                        found.add(key + ": " + wrong);
                    }
                });
        return found;
    }

    private static @Nullable String wrong(List<RegisterOp> ops) {
        Set<String> written = new HashSet<>();
        Set<@Nullable String> seen = new HashSet<>();
        for (RegisterOp op : ops) {
            if (op.ended() < op.began()) {
                return "answered before it was asked: " + op;
            }
            if (op.writes() && !written.add(String.valueOf(op.written()))) {
                return op.written() + " was written twice";
            }
            if (op.reads()) {
                seen.add(op.seen());
            }
        }
        // What nobody has ever seen need not have happened.
        List<RegisterOp> kept =
                ops.stream()
                        .filter(op -> op.isSure() || (op.writes() && seen.contains(op.written())))
                        .toList();
        return new RegisterChecker(kept).search();
    }

    private @Nullable String search() {
        link();
        Node at = head.next;
        while (sureToPlace > 0 && at != null) {
            if (at.isReturn) {
                note(ops.get(at.op));
                if (steps.isEmpty()) {
                    return "no order explains that somebody " + stuck;
                }
                at = takeBack();
            } else {
                at = place(at) ? head.next : at.next;
            }
        }
        return null;
    }

    /** Takes the operation as the next one, if it can be that and has not been tried here. */
    private boolean place(Node call) {
        RegisterOp op = ops.get(call.op);
        if (op.reads() && !Objects.equals(op.seen(), value)) {
            return false;
        }
        BitSet with = (BitSet) placed.clone();
        with.set(call.op);
        String after = op.writes() ? op.written() : value;
        if (!visited.add(new State(with, after))) {
            return false;
        }
        steps.push(new Step(call, value));
        placed = with;
        value = after;
        call.unlink();
        if (call.end != null) {
            call.end.unlink();
            sureToPlace--;
        }
        return true;
    }

    /** Undoes the last choice; returns where to look for another. */
    private @Nullable Node takeBack() {
        Step step = steps.pop();
        Node call = step.call();
        if (call.end != null) {
            call.end.relink();
            sureToPlace++;
        }
        call.relink();
        placed = (BitSet) placed.clone();
        placed.clear(call.op);
        value = step.before();
        return call.next;
    }

    /** The operation that could not be explained by the order that went furthest. */
    private void note(RegisterOp op) {
        if (stuck == null || op.ended() > deepest) {
            deepest = op.ended();
            stuck = op;
        }
    }

    private void link() {
        List<Node> nodes = new ArrayList<>();
        for (int i = 0; i < ops.size(); i++) {
            Node call = new Node(i, false, ops.get(i).began());
            nodes.add(call);
            if (ops.get(i).isSure()) {
                call.end = new Node(i, true, ops.get(i).ended());
                nodes.add(call.end);
                sureToPlace++;
            }
        }
        // At one instant calls come before returns: then the two overlap, and either may be first.
        nodes.sort(Comparator.<Node>comparingLong(n -> n.at).thenComparing(n -> n.isReturn));
        Node last = head;
        for (Node node : nodes) {
            last.next = node;
            node.previous = last;
            last = node;
        }
    }
}
