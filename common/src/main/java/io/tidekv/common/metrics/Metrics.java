package io.tidekv.common.metrics;

import io.prometheus.metrics.core.metrics.Counter;
import io.prometheus.metrics.core.metrics.Gauge;
import io.prometheus.metrics.core.metrics.GaugeWithCallback;
import io.prometheus.metrics.core.metrics.Histogram;
import io.prometheus.metrics.expositionformats.PrometheusTextFormatWriter;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.function.DoubleSupplier;

/**
 * The metrics of one role of this process. Make each metric once and keep it; names end in their
 * unit, as Prometheus asks. Thread-safe.
 */
public final class Metrics {
    /** Media type of {@link #expose}. */
    public static final String CONTENT_TYPE = PrometheusTextFormatWriter.CONTENT_TYPE;

    /** Upper bounds in seconds, from a cached read to a stuck request. */
    private static final double[] SECONDS = {
        0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5,
        10, 30
    };

    /** Powers of four, from a key to a full segment. */
    private static final double[] SIZES = {
        64, 256, 1024, 4096, 16_384, 65_536, 262_144, 1_048_576, 4_194_304, 16_777_216, 67_108_864
    };

    private final PrometheusRegistry registry = new PrometheusRegistry();

    /** For metrics that the helpers below do not cover. */
    public PrometheusRegistry registry() {
        return registry;
    }

    /** A count that only grows; the name ends in {@code _total}. */
    public Counter counter(String name, String help, String... labels) {
        return Counter.builder().name(name).help(help).labelNames(labels).register(registry);
    }

    /** A value that is set. */
    public Gauge gauge(String name, String help, String... labels) {
        return Gauge.builder().name(name).help(help).labelNames(labels).register(registry);
    }

    /** A value that is read when metrics are asked for; {@code value} must be quick. */
    public void gauge(String name, String help, DoubleSupplier value) {
        GaugeWithCallback.builder()
                .name(name)
                .help(help)
                .callback(callback -> callback.call(value.getAsDouble()))
                .register(registry);
    }

    /** A distribution of durations; the name ends in {@code _seconds}. */
    public Histogram seconds(String name, String help, String... labels) {
        return histogram(name, help, SECONDS, labels);
    }

    /** A distribution of bytes or counts. */
    public Histogram sizes(String name, String help, String... labels) {
        return histogram(name, help, SIZES, labels);
    }

    private Histogram histogram(String name, String help, double[] bounds, String... labels) {
        return Histogram.builder()
                .name(name)
                .help(help)
                .labelNames(labels)
                .classicOnly()
                .classicUpperBounds(bounds)
                .register(registry);
    }

    /** Writes this role's metrics and the process's in Prometheus' text format. */
    public void expose(OutputStream out) throws IOException {
        PrometheusTextFormatWriter writer = PrometheusTextFormatWriter.create();
        writer.write(out, registry.scrape());
        writer.write(out, ProcessMetrics.registry().scrape());
    }

    /** As {@link #expose(OutputStream)}. */
    public String expose() {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try {
            expose(out);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return out.toString(StandardCharsets.UTF_8);
    }
}
