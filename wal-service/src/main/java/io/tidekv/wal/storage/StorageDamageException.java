package io.tidekv.wal.storage;

import java.io.IOException;

/**
 * Bytes that were durable and may have been acknowledged are not what they were. They are never
 * skipped: {@link NodeStorage} repairs the folder, as far as that can be done.
 */
public final class StorageDamageException extends IOException {
    private static final long serialVersionUID = 1L;

    private final String file;
    private final long offset;
    private final String what;

    StorageDamageException(String file, long offset, String what) {
        super(
                "damage in "
                        + file
                        + " at byte "
                        + offset
                        + ": "
                        + what
                        + ". The disk has changed bytes that this node had acknowledged. Keep the"
                        + " folder for inspection, and start a new WAL node with an empty one");
        this.file = file;
        this.offset = offset;
        this.what = what;
    }

    /** Name of the file within the node's folder. */
    public String file() {
        return file;
    }

    public long offset() {
        return offset;
    }

    /** What is wrong there. */
    public String what() {
        return what;
    }
}
