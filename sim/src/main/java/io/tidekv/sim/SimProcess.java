package io.tidekv.sim;

import io.tidekv.common.time.Clock;
import java.util.ArrayDeque;

/**
 * A process that can be killed, started again and paused. What is addressed to a paused process
 * waits; what is addressed to an earlier life is lost.
 */
class SimProcess {
    final Sim sim;
    final String name;
    private final double rate;
    private final ArrayDeque<Runnable> backlog = new ArrayDeque<>();
    private SimClock clock;
    private int life;
    private boolean alive;
    private boolean paused;

    SimProcess(Sim sim, String name, double rate) {
        this.sim = sim;
        this.name = name;
        this.rate = rate;
        this.clock = new SimClock(sim, rate);
    }

    boolean alive() {
        return alive;
    }

    boolean paused() {
        return paused;
    }

    boolean running() {
        return alive && !paused;
    }

    int life() {
        return life;
    }

    SimClock clock() {
        return clock;
    }

    Clock.Reading now() {
        return clock.read();
    }

    /** Runs a step of the present life after a delay, or when its pause is over. */
    void later(long delayNanos, String what, Runnable step) {
        int mine = life;
        sim.after(
                delayNanos,
                what,
                () -> {
                    if (alive && life == mine) {
                        runOrWait(step);
                    }
                });
    }

    private void runOrWait(Runnable step) {
        if (paused) {
            backlog.add(step);
        } else {
            step.run();
        }
    }

    /** A new life with a clock of its own. */
    void begin() {
        alive = true;
        paused = false;
        life++;
        clock = new SimClock(sim, rate);
        sim.trace(name + " begins", life, 0);
    }

    void end() {
        alive = false;
        paused = false;
        backlog.clear();
        sim.trace(name + " ends", life, 0);
    }

    /** Stops for a while; {@code machine}: as a paused virtual machine, whose clock stops too. */
    void pause(long nanos, boolean machine) {
        if (!running()) {
            return;
        }
        paused = true;
        if (machine) {
            clock.stop();
        }
        int mine = life;
        sim.trace(name + " pauses", nanos / Sim.MS, machine ? 1 : 0);
        sim.after(
                nanos,
                "resume",
                () -> {
                    if (alive && life == mine) {
                        resume();
                    }
                });
    }

    private void resume() {
        paused = false;
        clock.go();
        sim.trace(name + " resumes", backlog.size(), 0);
        while (!paused && alive && !backlog.isEmpty()) {
            backlog.removeFirst().run();
        }
    }
}
