package io.tidekv.sim;

import io.tidekv.common.Randomness;
import io.tidekv.compute.region.core.LeaderOptions;

/**
 * What differs from seed to seed: sizes, speeds, and which faults happen how often. Each fault is
 * left out of some seeds, so that it cannot hide what another one shows.
 *
 * @param faultMs length of the phase with faults
 * @param drift clocks run at 1 ± drift
 * @param spares WAL nodes that are no voters at first
 * @param netMs mean time of a message on its way
 * @param diskMs mean time of an fsync
 * @param thinkMs mean pause of a client between two operations
 * @param segments whether the voters write to real segments over simulated files
 * @param faults mean faults per second, by kind
 */
record SimSettings(
        int voters,
        int stores,
        int regions,
        int keys,
        int clients,
        long faultMs,
        LeaderOptions leader,
        double drift,
        double netMs,
        double diskMs,
        double thinkMs,
        double publishPerSecond,
        boolean segments,
        int spares,
        Faults faults) {

    /** Mean number of faults per second of simulated time. */
    record Faults(
            double walCrash,
            double walPause,
            double storeCrash,
            double storePause,
            double machinePause,
            double wallJump,
            double disconnect,
            double partition,
            double pdPartition,
            double move,
            double falseTakeover,
            double diskFull,
            double diskFailure,
            double siege,
            double voterChange,
            double slowDisk,
            double damage) {}

    static SimSettings of(Randomness random) {
        long leaseMs = 1200;
        long driftMs = 100;
        LeaderOptions leader =
                new LeaderOptions(
                        leaseMs,
                        driftMs,
                        400,
                        50,
                        300,
                        pick(random, 1_700, 6_000, 50_000),
                        pick(random, 200, 1_000, 10_000),
                        pick(random, 500, 2_000, 20_000),
                        pick(random, 200, 1_000, 5_000),
                        (int) pick(random, 30, 200, 100_000));
        double pace = pick(random, 0.3, 1, 1, 2);
        // Either the clock of a machine stops, or its wall clock is set: a clock that is set by
        // just
        // the length of a pause hides it, and nothing could tell.
        boolean machines = random.chance(0.5);
        Faults faults =
                new Faults(
                        sometimes(random, 0.5 * pace),
                        sometimes(random, 0.3 * pace),
                        sometimes(random, 0.3 * pace),
                        sometimes(random, 0.4 * pace),
                        machines ? sometimes(random, 0.4 * pace) : 0,
                        machines ? 0 : sometimes(random, 0.3 * pace),
                        sometimes(random, 1.5 * pace),
                        sometimes(random, 0.6 * pace),
                        sometimes(random, 0.2 * pace),
                        sometimes(random, 0.3 * pace),
                        sometimes(random, 0.4 * pace),
                        random.chance(0.3) ? 0.3 * pace : 0,
                        random.chance(0.3) ? 0.2 * pace : 0,
                        sometimes(random, 0.3 * pace),
                        sometimes(random, 0.8 * pace),
                        sometimes(random, 0.2 * pace),
                        sometimes(random, 0.5 * pace));
        return new SimSettings(
                random.chance(0.8) ? 3 : 5,
                2 + random.nextInt(3),
                1 + random.nextInt(3),
                1 + random.nextInt(3),
                1 + random.nextInt(4),
                10_000 + random.nextInt(10_000),
                leader,
                random.chance(0.5) ? 0 : 0.03,
                pick(random, 0.3, 1, 5, 20),
                pick(random, 0.2, 1, 5, 30),
                pick(random, 2, 10, 40),
                pick(random, 0, 0.3, 2),
                random.chance(0.4),
                random.nextInt(3),
                faults);
    }

    private static double sometimes(Randomness random, double rate) {
        return random.chance(0.35) ? 0 : rate * (0.3 + 1.4 * random.nextDouble());
    }

    private static double pick(Randomness random, double... of) {
        return of[random.nextInt(of.length)];
    }

    private static long pick(Randomness random, long... of) {
        return of[random.nextInt(of.length)];
    }
}
