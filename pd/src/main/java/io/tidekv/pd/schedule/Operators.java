package io.tidekv.pd.schedule;

import io.tidekv.pd.schedule.OrderException.Kind;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The operators that run, at most one per region, and the last ones that have ended. */
final class Operators {
    private static final int RUNNING_MAX = 10_000;
    private static final int RECORDS_MAX = 1_000;

    private final Map<Long, Operator> running = new LinkedHashMap<>();
    private final Map<Long, OperatorRecord> ended =
            new LinkedHashMap<>() {
                private static final long serialVersionUID = 1L;

                @Override
                protected boolean removeEldestEntry(Map.Entry<Long, OperatorRecord> eldest) {
                    return size() > RECORDS_MAX;
                }
            };

    /** Begins an operator; it takes its first step at the next {@link #step}. */
    void start(Operator operator) {
        Operator other = running.get(operator.regionId);
        if (other != null && other.yields() && !operator.yields()) {
            end(other, Operator.Status.CANCEL);
        } else if (other != null) {
            throw new OrderException(
                    Kind.BUSY,
                    "region %d is busy with %s: try again when that has ended",
                    operator.regionId,
                    other.description);
        }
        if (running.size() >= RUNNING_MAX) {
            throw new OrderException(Kind.BUSY, "%d operators are under way", running.size());
        }
        running.put(operator.regionId, operator);
    }

    void step(ClusterView view, Sessions sessions, long nowNanos) {
        for (Operator operator : List.copyOf(running.values())) {
            Operator.Status status = operator.step(view, sessions, nowNanos);
            if (status == Operator.Status.RUNNING && nowNanos - operator.deadlineNanos >= 0) {
                status = Operator.Status.TIMEOUT;
            }
            if (status != Operator.Status.RUNNING) {
                end(operator, status);
            }
        }
    }

    private void end(Operator operator, Operator.Status status) {
        running.remove(operator.regionId);
        record(operator.regionId, operator.description, status);
        switch (status) {
            case SUCCESS -> operator.done.complete(operator.gapMillis());
            case TIMEOUT ->
                    operator.done.completeExceptionally(
                            new OrderException(Kind.TIMEOUT, "%s", operator.waitsFor()));
            default -> {
                OrderException refusal = operator.refusal();
                operator.done.completeExceptionally(
                        refusal == null ? changedHands(operator) : refusal);
            }
        }
    }

    private static OrderException changedHands(Operator operator) {
        return new OrderException(
                Kind.CANCELLED,
                "%s of region %d was given up: the region has changed hands otherwise",
                operator.description,
                operator.regionId);
    }

    void record(long regionId, String description, Operator.Status status) {
        ended.remove(regionId);
        ended.put(regionId, new OperatorRecord(regionId, description, status.name()));
    }

    @Nullable OperatorRecord find(long regionId) {
        Operator operator = running.get(regionId);
        return operator == null
                ? ended.get(regionId)
                : new OperatorRecord(
                        regionId, operator.description, Operator.Status.RUNNING.name());
    }

    boolean busy(long regionId) {
        return running.containsKey(regionId);
    }

    Collection<Operator> running() {
        return running.values();
    }

    /** The store that an operator wants for the region's next term, or 0. */
    long wantedStore(long regionId) {
        Operator operator = running.get(regionId);
        return operator == null ? 0 : operator.wantedStore();
    }

    void cancelAll(RuntimeException reason) {
        running.values().forEach(o -> o.done.completeExceptionally(reason));
        running.clear();
    }
}
