package io.tidekv.cli.bench;

import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.URLConnection;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/** The metrics of a process, as its status port showed them. */
record MetricsPage(String text) {
    private static final int TIMEOUT_MILLIS = 2000;

    /** Empty when it cannot be had. Blocks. */
    static MetricsPage of(String address) {
        try {
            URLConnection connection =
                    URI.create("http://" + address + "/metrics").toURL().openConnection();
            connection.setConnectTimeout(TIMEOUT_MILLIS);
            connection.setReadTimeout(TIMEOUT_MILLIS);
            try (InputStream in = connection.getInputStream()) {
                return new MetricsPage(new String(in.readAllBytes(), StandardCharsets.UTF_8));
            }
        } catch (IOException e) {
            return new MetricsPage("");
        }
    }

    /** The value of a metric without labels; null when it is not there. */
    @Nullable Double value(String name) {
        return text.lines()
                .filter(line -> line.startsWith(name + " "))
                .findFirst()
                .map(line -> Double.valueOf(line.substring(name.length()).strip()))
                .orElse(null);
    }
}
