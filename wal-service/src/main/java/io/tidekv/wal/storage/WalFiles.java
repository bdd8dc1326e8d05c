package io.tidekv.wal.storage;

import java.io.IOException;
import java.util.List;

/**
 * The folder of a WAL node. A name that was created, renamed or deleted is only certain to stay so
 * after {@link #syncFolder}; bytes only after {@link WalFile#sync}. One thread at a time.
 */
public interface WalFiles {
    /** Where it is, for messages. */
    String location();

    /** Names of all files, sorted. */
    List<String> list() throws IOException;

    /** Makes an empty file; fails when the name is taken. */
    WalFile create(String name) throws IOException;

    /** Opens a file for reading and writing. */
    WalFile open(String name) throws IOException;

    void delete(String name) throws IOException;

    /** Replaces {@code to} in one step. */
    void rename(String from, String to) throws IOException;

    void syncFolder() throws IOException;

    /** Bytes that may still be written. */
    long usableBytes() throws IOException;
}
