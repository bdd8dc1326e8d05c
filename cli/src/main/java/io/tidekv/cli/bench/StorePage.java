package io.tidekv.cli.bench;

import io.tidekv.objects.cost.Requests;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.URLConnection;
import java.nio.charset.StandardCharsets;

/** The metrics of one store. */
record StorePage(String statusAddress) {
    private static final int TIMEOUT_MILLIS = 2000;

    /** The page; empty when it cannot be had. */
    String read() {
        try {
            URLConnection connection =
                    URI.create("http://" + statusAddress + "/metrics").toURL().openConnection();
            connection.setConnectTimeout(TIMEOUT_MILLIS);
            connection.setReadTimeout(TIMEOUT_MILLIS);
            try (InputStream in = connection.getInputStream()) {
                return new String(in.readAllBytes(), StandardCharsets.UTF_8);
            }
        } catch (IOException e) {
            return "";
        }
    }

    /** A series without labels; 0 when it is not there. */
    long value(String series) {
        return Requests.value(read(), series);
    }
}
