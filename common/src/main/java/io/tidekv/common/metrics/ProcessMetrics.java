package io.tidekv.common.metrics;

import io.prometheus.metrics.instrumentation.jvm.JvmMetrics;
import io.prometheus.metrics.model.registry.PrometheusRegistry;

/**
 * Metrics of the Java machine and the process, shared by all roles in it. Made at the first scrape,
 * so that starting costs nothing.
 */
final class ProcessMetrics {
    private ProcessMetrics() {}

    static PrometheusRegistry registry() {
        return Holder.REGISTRY;
    }

    private static final class Holder {
        static final PrometheusRegistry REGISTRY = new PrometheusRegistry();

        static {
            JvmMetrics.builder().register(REGISTRY);
        }
    }
}
