package io.tidekv.wal.server;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.jspecify.annotations.Nullable;

/** Keeps a folder to one process. The lock goes with the process, however it ends. */
final class FolderLock implements AutoCloseable {
    private final FileChannel channel;

    private FolderLock(FileChannel channel) {
        this.channel = channel;
    }

    /** Makes the folder if need be and locks it; the message of a failure says what to do. */
    static FolderLock take(Path folder) throws IOException {
        FileChannel channel = null;
        try {
            Files.createDirectories(folder);
            channel =
                    FileChannel.open(
                            folder.resolve("LOCK"),
                            StandardOpenOption.CREATE,
                            StandardOpenOption.WRITE);
            if (locked(channel)) {
                return new FolderLock(channel);
            }
        } catch (FileAlreadyExistsException e) {
            throw new IOException(folder + " is not a folder: choose another data-dir", e);
        } catch (AccessDeniedException e) {
            throw new IOException(
                    "no permission to write in " + folder + ": change it, or the data-dir", e);
        } catch (FileSystemException e) {
            throw new IOException(
                    "cannot write in " + folder + " (" + e.getReason() + "): is it read-only?", e);
        }
        channel.close();
        throw new IOException(
                folder + " is in use by another process: a folder belongs to one WAL node");
    }

    private static boolean locked(FileChannel channel) throws IOException {
        try {
            @Nullable FileLock lock = channel.tryLock();
            return lock != null;
        } catch (OverlappingFileLockException e) {
            return false;
        }
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }
}
