package io.tidekv.objects.store;

import org.jspecify.annotations.Nullable;

/**
 * A failed call to the object store. The message names the object and says what to do where
 * something can be done.
 */
public final class ObjectStoreException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /** What the caller can do about it. */
    public enum Kind {
        /** No such object. */
        NOT_FOUND,
        /** The name is taken by other content. */
        ALREADY_EXISTS,
        /** The content is not what its length or checksum says. */
        CORRUPT,
        /** The store cannot be reached or answers with errors that pass: try again later. */
        UNAVAILABLE,
        /** Credentials or rights are wrong: an operator must act. */
        FORBIDDEN,
        /** No space left. */
        FULL,
        /** A name or an argument that no store would take. */
        INVALID
    }

    private final Kind kind;
    private final String object;

    public ObjectStoreException(
            Kind kind, String object, String message, @Nullable Throwable cause) {
        super(message, cause);
        this.kind = kind;
        this.object = object;
    }

    public Kind kind() {
        return kind;
    }

    /** Name of the object, empty when no single one is meant. */
    public String object() {
        return object;
    }
}
