package io.tidekv.it.storm;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

/** What is done to the processes, one thing at a time, each undone after some seconds. */
final class Faults {
    private final Cluster cluster;
    private final Random random;
    private final Map<Kind, Integer> done = new EnumMap<>(Kind.class);
    private final List<Kind> possible = new ArrayList<>();

    /** In the words of the table that a run prints. */
    enum Kind {
        KILL_COMPUTE,
        KILL_WAL,
        KILL_PD,
        PAUSE_COMPUTE,
        PAUSE_WAL,
        SLOW_WAL,
        FULL_DISK,
        CUT_COMPUTE_FROM_WAL,
        CUT_COMPUTE_FROM_PD,
        CUT_WAL_FROM_ALL,
        DEAF_COMPUTE,
        DEAF_WAL
    }

    /**
     * @param smallDisk the WAL node whose disk may be filled; empty for none
     */
    Faults(Cluster cluster, Random random, boolean smallDisk) {
        this.cluster = cluster;
        this.random = random;
        for (Kind kind : Kind.values()) {
            boolean net = kind.ordinal() >= Kind.CUT_COMPUTE_FROM_WAL.ordinal();
            if ((!net || cluster.net().cuts()) && (kind != Kind.FULL_DISK || smallDisk)) {
                possible.add(kind);
            }
        }
    }

    Map<Kind, Integer> done() {
        return done;
    }

    /** One fault after the other until the storm is over; everything is whole again at the end. */
    void run(Pace pace) {
        while (pace.pass(500 + random.nextInt(2500))) {
            Kind kind = possible.get(random.nextInt(possible.size()));
            long millis = 500 + random.nextInt(5500);
            done.merge(kind, 1, Integer::sum);
            String victim = victim(kind);
            System.out.printf("%s: %s %s for %d ms%n", Instant.now(), kind, victim, millis);
            apply(kind, victim, millis, pace);
        }
    }

    private String victim(Kind kind) {
        String name = kind.name();
        String of = name.contains("COMPUTE") ? "compute" : name.contains("PD") ? "pd" : "wal";
        if (kind == Kind.FULL_DISK) {
            return smallDisk(cluster);
        }
        List<String> roles = cluster.roles(of);
        return roles.get(random.nextInt(roles.size()));
    }

    /** The WAL node that has a small disk of its own, if one has. */
    static String smallDisk(Cluster cluster) {
        List<String> wal = cluster.roles("wal");
        return wal.get(wal.size() - 1);
    }

    private void apply(Kind kind, String victim, long millis, Pace pace) {
        switch (kind) {
            case KILL_COMPUTE -> {
                cluster.kill(victim);
                cluster.deleteData(victim);
                pace.pass(millis);
                cluster.start(victim);
            }
            case KILL_WAL, KILL_PD -> {
                cluster.kill(victim);
                pace.pass(millis);
                cluster.start(victim);
            }
            case PAUSE_COMPUTE, PAUSE_WAL -> {
                cluster.signal(victim, "STOP");
                pace.pass(millis);
                cluster.signal(victim, "CONT");
            }
            case SLOW_WAL -> slow(victim, millis, pace);
            case FULL_DISK -> fill(cluster.data(victim).resolve("filler"), millis, pace);
            case CUT_COMPUTE_FROM_WAL ->
                    cut(List.of(victim), cluster.roles("wal"), true, millis, pace);
            case CUT_COMPUTE_FROM_PD ->
                    cut(List.of(victim), cluster.roles("pd"), true, millis, pace);
            case CUT_WAL_FROM_ALL -> cut(List.of(victim), others(victim), true, millis, pace);
            case DEAF_COMPUTE, DEAF_WAL ->
                    cut(others(victim), List.of(victim), false, millis, pace);
        }
    }

    private List<String> others(String victim) {
        List<String> others = new ArrayList<>(cluster.roles("pd"));
        others.addAll(cluster.roles("wal"));
        others.addAll(cluster.roles("compute"));
        others.remove(victim);
        return others;
    }

    private void cut(List<String> from, List<String> to, boolean both, long millis, Pace pace) {
        for (String one : from) {
            for (String other : to) {
                cluster.net().cut(one, other);
                if (both) {
                    cluster.net().cut(other, one);
                }
            }
        }
        pace.pass(millis);
        cluster.net().heal();
    }

    /** Awake for a fifth of the time. */
    private void slow(String victim, long millis, Pace pace) {
        for (long spent = 0; spent < millis && pace.goesOn(); spent += 100) {
            cluster.signal(victim, "STOP");
            pace.pass(80);
            cluster.signal(victim, "CONT");
            pace.pass(20);
        }
    }

    private static void fill(Path filler, long millis, Pace pace) {
        byte[] block = new byte[1 << 20];
        try (OutputStream out = Files.newOutputStream(filler)) {
            while (pace.goesOn()) {
                out.write(block);
            }
        } catch (IOException e) {
            // That it is full is what was wanted.
            pace.pass(millis);
        } finally {
            filler.toFile().delete();
        }
    }
}
