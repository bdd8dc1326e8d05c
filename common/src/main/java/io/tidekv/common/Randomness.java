package io.tidekv.common;

import java.security.SecureRandom;
import java.util.Random;
import java.util.UUID;

/** Injected randomness. Thread-safe when real; a seeded one belongs to one thread. */
public final class Randomness {
    private final Random random;

    private Randomness(Random random) {
        this.random = random;
    }

    /** Randomness of a running process. */
    public static Randomness real() {
        return new Randomness(new SecureRandom());
    }

    /** Randomness of a simulation: equal seeds give equal sequences. */
    public static Randomness seeded(long seed) {
        return new Randomness(new Random(seed));
    }

    /** A child with a seed of its own, so that actors do not disturb each other's sequences. */
    public Randomness child() {
        return seeded(random.nextLong());
    }

    public long nextLong() {
        return random.nextLong();
    }

    /** Uniform in {@code [0, bound)}. */
    public int nextInt(int bound) {
        return random.nextInt(bound);
    }

    /** Uniform in {@code [from, to)}. */
    public long nextLong(long from, long to) {
        return from + Math.floorMod(random.nextLong(), to - from);
    }

    /** Uniform in {@code [0, 1)}. */
    public double nextDouble() {
        return random.nextDouble();
    }

    /** True with the given probability. */
    public boolean chance(double probability) {
        return random.nextDouble() < probability;
    }

    public void nextBytes(byte[] into) {
        random.nextBytes(into);
    }

    /** A random (version 4) UUID. */
    public UUID nextUuid() {
        long high = (random.nextLong() & ~0xF000L) | 0x4000L;
        long low = (random.nextLong() & ~(3L << 62)) | (1L << 63);
        return new UUID(high, low);
    }
}
