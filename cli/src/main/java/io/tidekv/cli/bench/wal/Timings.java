package io.tidekv.cli.bench.wal;

import java.util.LinkedHashMap;
import java.util.Map;
import org.HdrHistogram.Histogram;

/** How long operations took, in microseconds, and in what time all of them were done. */
record Timings(Histogram micros, double seconds) {
    double perSecond() {
        return micros.getTotalCount() / seconds;
    }

    /** Microseconds that {@code percentile} of the operations stayed within. */
    long at(double percentile) {
        return micros.getValueAtPercentile(percentile);
    }

    Map<String, Object> json() {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("per_second", Math.round(perSecond()));
        json.put("p50_us", at(50));
        json.put("p99_us", at(99));
        json.put("p999_us", at(99.9));
        json.put("max_us", micros.getMaxValue());
        return json;
    }
}
