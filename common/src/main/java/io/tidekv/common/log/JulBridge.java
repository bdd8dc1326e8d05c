package io.tidekv.common.log;

import java.util.logging.Handler;
import java.util.logging.Level;
import java.util.logging.LogManager;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import java.util.logging.SimpleFormatter;
import org.slf4j.LoggerFactory;

/** Brings what libraries log through java.util.logging (gRPC does), from WARNING on, to slf4j. */
final class JulBridge extends Handler {
    private final SimpleFormatter formatter = new SimpleFormatter();

    private JulBridge() {}

    static void install() {
        Logger root = LogManager.getLogManager().getLogger("");
        for (Handler handler : root.getHandlers()) {
            root.removeHandler(handler);
        }
        root.setLevel(Level.WARNING);
        root.addHandler(new JulBridge());
    }

    @Override
    public void publish(LogRecord record) {
        if (record.getLevel().intValue() < Level.WARNING.intValue()) {
            return;
        }
        String name = record.getLoggerName() == null ? "jul" : record.getLoggerName();
        org.slf4j.Logger log = LoggerFactory.getLogger(name);
        String message = formatter.formatMessage(record);
        if (record.getLevel().intValue() >= Level.SEVERE.intValue()) {
            log.error(message, record.getThrown());
        } else {
            log.warn(message, record.getThrown());
        }
    }

    @Override
    public void flush() {}

    @Override
    public void close() {}
}
