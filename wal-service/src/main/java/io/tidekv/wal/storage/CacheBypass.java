package io.tidekv.wal.storage;

import com.sun.nio.file.ExtendedOpenOption;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Whether files of a folder can be written past the cache of the file system (O_DIRECT): not every
 * one can, and some say so only when it is tried. Belongs to the thread that writes.
 */
final class CacheBypass {
    private static final Logger log = LoggerFactory.getLogger(CacheBypass.class);

    private boolean refused;
    private boolean proven;

    /** Another channel to the file for this purpose; null when there is no such thing. */
    @Nullable FileChannel open(Path file) {
        if (refused) {
            return null;
        }
        try {
            return FileChannel.open(file, StandardOpenOption.WRITE, ExtendedOpenOption.DIRECT);
        } catch (IOException | UnsupportedOperationException e) {
            refuse(e);
            return null;
        }
    }

    /**
     * False when it cannot be done, which only the first attempt may find out: then nothing counts
     * as written.
     */
    boolean write(FileChannel channel, long position, ByteBuffer from) throws IOException {
        if (refused) {
            return false;
        }
        int start = from.position();
        try {
            DiskWalFile.writeAll(channel, position, from);
            proven = true;
            return true;
        } catch (IOException e) {
            if (proven) {
                throw e;
            }
            refuse(e);
            from.position(start);
            return false;
        }
    }

    private void refuse(Exception e) {
        refused = true;
        log.info("large batches go through the cache of the file system: {}", e.toString());
    }
}
