package io.tidekv.common.log;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.LoggerContext;
import org.slf4j.LoggerFactory;

/**
 * What a process may ask of its log. Set before the first line, as system property or environment
 * variable: {@code tidekv.log.level} (info), {@code tidekv.log.format} (text or json), {@code
 * tidekv.log.file} (stderr when absent), {@code tidekv.log.user-data} (false). A {@code
 * logback.configurationFile} replaces all of it.
 */
public final class Logging {
    private Logging() {}

    /** Changes the level of TideKV's own loggers; libraries stay at WARN. */
    public static void level(String level) {
        if (LoggerFactory.getILoggerFactory() instanceof LoggerContext context) {
            context.getLogger("io.tidekv").setLevel(Level.toLevel(level, Level.INFO));
        }
    }

    /**
     * Sends all further lines to {@code file} ({@code json} or text), for a command whose terminal
     * belongs to its user.
     */
    public static void toFile(java.nio.file.Path file, boolean json) {
        if (LoggerFactory.getILoggerFactory() instanceof LoggerContext context) {
            LogbackSetup.apply(context, file.toString(), json);
        }
    }
}
