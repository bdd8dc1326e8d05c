package io.tidekv.common.log;

import java.util.Locale;

/** Settings that must be known before the first log line, so before any configuration file. */
final class LogSettings {
    private LogSettings() {}

    /** The system property {@code tidekv.log.x}, else {@code TIDEKV_LOG_X} of the environment. */
    static String value(String property, String otherwise) {
        String value = System.getProperty(property);
        if (value == null) {
            value = System.getenv(property.toUpperCase(Locale.ROOT).replaceAll("[.-]", "_"));
        }
        return value == null || value.isBlank() ? otherwise : value.strip();
    }
}
