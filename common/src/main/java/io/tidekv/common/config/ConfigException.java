package io.tidekv.common.config;

/**
 * Settings that cannot be used. The message is for the administrator: it names the source, the key
 * and what is expected.
 */
public final class ConfigException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    public ConfigException(String message) {
        super(message);
    }

    public ConfigException(String message, Throwable cause) {
        super(message, cause);
    }
}
