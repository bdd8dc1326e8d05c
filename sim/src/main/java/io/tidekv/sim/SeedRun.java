package io.tidekv.sim;

import java.util.Map;
import java.util.TreeMap;

/**
 * Runs seeds from the command line: {@code SeedRun FROM COUNT}, or {@code SeedRun SEED} for one
 * with its trace. Ends with status 1 at the first seed that breaks a promise.
 */
public final class SeedRun {
    private SeedRun() {}

    public static void main(String[] args) {
        long from = Long.parseLong(args[0]);
        if (args.length == 1) {
            System.out.println(Simulation.run(from, true));
            return;
        }
        long count = Long.parseLong(args[1]);
        long answered = 0;
        long events = 0;
        Map<String, Long> marks = new TreeMap<>();
        for (long seed = from; seed < from + count; seed++) {
            Simulation.Outcome outcome = Simulation.run(seed, false);
            answered += outcome.answered();
            events += outcome.events();
            outcome.marks().forEach((mark, seen) -> marks.merge(mark, seen, Long::sum));
            if ((seed - from) % 1000 == 999) {
                System.out.println(seed - from + 1 + " seeds, " + events + " events");
            }
        }
        marks.forEach((mark, seen) -> System.out.println(mark + ": " + seen));
        System.out.println(
                count
                        + " seeds from "
                        + from
                        + ": "
                        + events
                        + " events, "
                        + answered
                        + " answers");
    }
}
