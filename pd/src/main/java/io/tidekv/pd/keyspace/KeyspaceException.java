package io.tidekv.pd.keyspace;

/** A keyspace cannot be found, made or changed; the message is what PD says. */
public final class KeyspaceException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final boolean missing;

    private KeyspaceException(String message, boolean missing) {
        super(message);
        this.missing = missing;
    }

    static KeyspaceException notFound() {
        return new KeyspaceException(
                "[PD:keyspace:ErrKeyspaceNotFound]keyspace does not exist", true);
    }

    static KeyspaceException refused(String message) {
        return new KeyspaceException(message, false);
    }

    /** Whether there is no such keyspace. */
    public boolean isMissing() {
        return missing;
    }
}
