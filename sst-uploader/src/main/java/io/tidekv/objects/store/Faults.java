package io.tidekv.objects.store;

import io.tidekv.common.Randomness;
import io.tidekv.objects.store.ObjectStoreException.Kind;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.EnumMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What goes wrong in a {@link FaultyObjectStore}. Nothing, until told. Equal seeds and equal calls
 * give equal faults. Thread-safe.
 */
public final class Faults {
    /** Kinds of calls. */
    public enum Operation {
        PUT,
        HEAD,
        GET,
        LIST,
        DELETE
    }

    /** Whether the call has taken effect when it fails. */
    public enum Moment {
        BEFORE,
        AFTER
    }

    /** What happens to one call. */
    record Fault(Kind kind, Moment moment) {}

    /** What happens to one body. */
    enum Damage {
        FLIPPED_BIT,
        CUT_SHORT
    }

    private final Randomness randomness;
    private final Map<Operation, ArrayDeque<Fault>> planned = new EnumMap<>(Operation.class);
    private final Map<Operation, Double> before = new EnumMap<>(Operation.class);
    private final Map<Operation, Double> after = new EnumMap<>(Operation.class);
    private final ArrayDeque<Damage> plannedDamage = new ArrayDeque<>();
    private double damageChance;
    private boolean outage;
    private Duration latency = Duration.ZERO;
    private long injected;

    public Faults(Randomness randomness) {
        this.randomness = randomness;
    }

    /** The next {@code count} calls of the kind fail. */
    public synchronized void failNext(Operation operation, int count, Kind kind, Moment moment) {
        ArrayDeque<Fault> queue = planned.computeIfAbsent(operation, o -> new ArrayDeque<>());
        for (int i = 0; i < count; i++) {
            queue.add(new Fault(kind, moment));
        }
    }

    /** Calls of the kind fail with UNAVAILABLE at random, before or after their effect. */
    public synchronized void failAtRandom(
            Operation operation, double chanceBefore, double chanceAfter) {
        before.put(operation, chanceBefore);
        after.put(operation, chanceAfter);
    }

    /** While true, every call fails with UNAVAILABLE and has no effect. */
    public synchronized void setOutage(boolean outage) {
        this.outage = outage;
    }

    /** Each call takes this long, drawn anew between half of it and all of it. */
    public synchronized void setLatency(Duration latency) {
        this.latency = latency;
    }

    /** A bit of the next body that is read is flipped. */
    public synchronized void flipNextBody() {
        plannedDamage.add(Damage.FLIPPED_BIT);
    }

    /** The next body that is read lacks its end. */
    public synchronized void cutNextBody() {
        plannedDamage.add(Damage.CUT_SHORT);
    }

    /** Bodies are damaged at random, one way or the other. */
    public synchronized void damageAtRandom(double chance) {
        damageChance = chance;
    }

    /** Faults so far, delays not counted. */
    public synchronized long injected() {
        return injected;
    }

    synchronized @Nullable Fault next(Operation operation) {
        ArrayDeque<Fault> queue = planned.get(operation);
        Fault fault = null;
        if (outage) {
            fault = new Fault(Kind.UNAVAILABLE, Moment.BEFORE);
        } else if (queue != null && !queue.isEmpty()) {
            fault = queue.poll();
        } else if (chance(before.get(operation))) {
            fault = new Fault(Kind.UNAVAILABLE, Moment.BEFORE);
        } else if (chance(after.get(operation))) {
            fault = new Fault(Kind.UNAVAILABLE, Moment.AFTER);
        }
        injected += fault == null ? 0 : 1;
        return fault;
    }

    synchronized @Nullable Damage nextDamage() {
        Damage damage = plannedDamage.poll();
        if (damage == null && chance(damageChance)) {
            damage = randomness.chance(0.5) ? Damage.FLIPPED_BIT : Damage.CUT_SHORT;
        }
        injected += damage == null ? 0 : 1;
        return damage;
    }

    synchronized int position(int length) {
        return randomness.nextInt(length);
    }

    synchronized Duration nextLatency() {
        return latency.isZero()
                ? latency
                : Duration.ofNanos(
                        (long) (latency.toNanos() * (0.5 + randomness.nextDouble() / 2)));
    }

    private boolean chance(@Nullable Double probability) {
        return probability != null && probability > 0 && randomness.chance(probability);
    }
}
