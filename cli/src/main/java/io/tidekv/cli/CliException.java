package io.tidekv.cli;

/** A failure that the user can understand and act on, in one line. Ends a command with exit 1. */
public final class CliException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /**
     * What is wrong and what to do about it, such as "port 2379 is taken: use --port-offset 1000".
     */
    public CliException(String message) {
        super(message);
    }

    public CliException(String message, Throwable cause) {
        super(message, cause);
    }
}
