package io.tidekv.cli.bench;

import io.tidekv.cli.Json;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import org.HdrHistogram.Histogram;

/** Figures of one run. */
record Report(
        String workload,
        int clients,
        int valueSize,
        long keys,
        ClosedLoop.Result result,
        Map<String, Double> cpuByRole) {
    Report(
            String workload,
            LoadOptions load,
            ClosedLoop.Result result,
            Map<String, Double> cpuByRole) {
        this(workload, load.clients(), load.valueSize(), load.keys(), result, cpuByRole);
    }

    private static final double MILLION = 1e6;

    /** Both runs as one. */
    Report plus(Report other) {
        Map<String, Double> cpu = new LinkedHashMap<>(cpuByRole);
        other.cpuByRole.forEach((role, seconds) -> cpu.merge(role, seconds, Double::sum));
        return new Report(workload, clients, valueSize, keys, result.plus(other.result), cpu);
    }

    String json() {
        return Json.line(fields());
    }

    /** What {@link #json} writes. */
    Map<String, Object> fields() {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("workload", workload);
        json.put("clients", clients);
        json.put("value_size", valueSize);
        json.put("keys", keys);
        json.put("seconds", round(result.seconds()));
        json.put("operations", result.operations());
        json.put("errors", result.errors());
        json.put("operations_per_second", round(perSecond()));
        json.put("latency_us", latency());
        json.put("server_cpu_seconds", round(cpuSeconds()));
        json.put("server_cpu_seconds_per_million", round(perMillion(cpuSeconds())));
        Map<String, Object> roles = new LinkedHashMap<>();
        cpuByRole.forEach((role, seconds) -> roles.put(role, round(perMillion(seconds))));
        json.put("server_cpu_seconds_per_million_by_role", roles);
        return json;
    }

    String text() {
        Histogram micros = result.micros();
        String cpu =
                cpuByRole.isEmpty()
                        ? "not known (give the --ready-file of the playground)"
                        : format(
                                        "%.0f s per million operations, of which",
                                        perMillion(cpuSeconds()))
                                + roles();
        return String.join(
                System.lineSeparator(),
                format("%s, %d clients, %d B values, %d keys", workload, clients, valueSize, keys),
                format(
                        "operations  %d in %.1f s = %.0f /s, %d errors",
                        result.operations(), result.seconds(), perSecond(), result.errors()),
                format(
                        "latency ms  p50 %.2f  p90 %.2f  p99 %.2f  p99.9 %.2f  max %.2f  mean %.2f",
                        millis(micros, 50),
                        millis(micros, 90),
                        millis(micros, 99),
                        millis(micros, 99.9),
                        micros.getMaxValue() / 1e3,
                        micros.getMean() / 1e3),
                "server CPU  " + cpu);
    }

    private String roles() {
        StringBuilder out = new StringBuilder();
        cpuByRole.forEach(
                (role, seconds) ->
                        out.append(' ').append(role).append(format(" %.0f", perMillion(seconds))));
        return out.toString();
    }

    private Map<String, Object> latency() {
        Histogram micros = result.micros();
        Map<String, Object> latency = new LinkedHashMap<>();
        latency.put("mean", round(micros.getTotalCount() == 0 ? 0 : micros.getMean()));
        latency.put("p50", micros.getValueAtPercentile(50));
        latency.put("p90", micros.getValueAtPercentile(90));
        latency.put("p99", micros.getValueAtPercentile(99));
        latency.put("p999", micros.getValueAtPercentile(99.9));
        latency.put("max", micros.getMaxValue());
        return latency;
    }

    /** Operations per second. */
    double perSecond() {
        return result.operations() / result.seconds();
    }

    /** What a million operations cost the servers. */
    double cpuSecondsPerMillion() {
        return perMillion(cpuSeconds());
    }

    private double cpuSeconds() {
        return cpuByRole.values().stream().mapToDouble(Double::doubleValue).sum();
    }

    private double perMillion(double seconds) {
        return result.operations() == 0 ? 0 : seconds * MILLION / result.operations();
    }

    private static double millis(Histogram micros, double percentile) {
        return micros.getValueAtPercentile(percentile) / 1e3;
    }

    private static double round(double value) {
        return Math.round(value * 1000) / 1000.0;
    }

    private static String format(String pattern, Object... values) {
        return String.format(Locale.ROOT, pattern, values);
    }
}
