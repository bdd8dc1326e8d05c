package io.tidekv.cli.bench;

import java.util.List;
import java.util.Map;

/**
 * How long nothing was acknowledged, once for each time that it was provoked.
 *
 * @param millis in the order in which it was
 */
record Gaps(List<Double> millis) {
    double p50() {
        return sorted().get((millis.size() - 1) / 2);
    }

    double p99() {
        return sorted().get((int) Math.ceil(0.99 * millis.size()) - 1);
    }

    double max() {
        return sorted().get(millis.size() - 1);
    }

    private List<Double> sorted() {
        return millis.stream().sorted().toList();
    }

    /** Adds them to a line of JSON, as {@code name_…_ms}. */
    void into(Map<String, Object> line, String name) {
        line.put(name + "_ms", millis.stream().map(Gaps::rounded).toList());
        line.put(name + "_p50_ms", rounded(p50()));
        line.put(name + "_p99_ms", rounded(p99()));
        line.put(name + "_max_ms", rounded(max()));
    }

    private static double rounded(double millis) {
        return Math.round(millis * 10) / 10.0;
    }
}
