package io.tidekv.objects.store;

import io.tidekv.objects.store.ObjectStoreException.Kind;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** The errors that several implementations throw, worded once. */
final class StoreErrors {
    private StoreErrors() {}

    static ObjectStoreException notFound(String name, String where) {
        return new ObjectStoreException(
                Kind.NOT_FOUND, name, "no object " + name + " in " + where, null);
    }

    static ObjectStoreException taken(String name) {
        return new ObjectStoreException(
                Kind.ALREADY_EXISTS, name, name + " exists with other content", null);
    }

    static ObjectStoreException corrupt(String name, String what) {
        return new ObjectStoreException(Kind.CORRUPT, name, name + " is damaged: " + what, null);
    }

    static ObjectStoreException checksum(String name, int expected, int actual) {
        return corrupt(
                name,
                "its CRC32C is "
                        + Checksums.hex(actual)
                        + " instead of "
                        + Checksums.hex(expected));
    }

    static ObjectStoreException tooLong(String name, long length, long bytesMax) {
        return corrupt(name, "it has " + length + " bytes, more than the " + bytesMax + " allowed");
    }

    static ObjectStoreException endsBefore(String name, long length, long end) {
        return corrupt(name, "it ends at " + length + ", before " + end);
    }

    /** A local file that is to be stored is not what the caller said. */
    static ObjectStoreException changed(String name, Path file) {
        return new ObjectStoreException(
                Kind.CORRUPT,
                name,
                file + " is not what was to be stored as " + name + ": its CRC32C differs",
                null);
    }

    static ObjectStoreException closed(String name, String where) {
        return new ObjectStoreException(Kind.UNAVAILABLE, name, where + " is closed", null);
    }

    static ObjectStoreException interrupted(String name, @Nullable Throwable cause) {
        return new ObjectStoreException(
                Kind.UNAVAILABLE, name, "interrupted while at work on " + name, cause);
    }

    static void checkRange(String name, long offset, int length) {
        if (offset < 0 || length < 0 || offset > Long.MAX_VALUE - length) {
            throw new ObjectStoreException(
                    Kind.INVALID, name, "no range: " + length + " bytes at " + offset, null);
        }
    }

    /** A local file could not be read or written: {@code action} says which. */
    static ObjectStoreException failed(String name, String action, IOException e) {
        String reason = reason(e);
        String lower = reason.toLowerCase(Locale.ROOT);
        if (e instanceof FileAlreadyExistsException) {
            return new ObjectStoreException(
                    Kind.INVALID, name, "cannot " + action + ": it exists already", e);
        }
        if (lower.contains("no space left") || lower.contains("quota exceeded")) {
            return new ObjectStoreException(
                    Kind.FULL, name, "cannot " + action + ": no space left: free some", e);
        }
        if (e instanceof AccessDeniedException || lower.contains("read-only file system")) {
            return new ObjectStoreException(
                    Kind.FORBIDDEN,
                    name,
                    "cannot " + action + ": " + reason + ": check owner and rights",
                    e);
        }
        return new ObjectStoreException(
                Kind.UNAVAILABLE, name, "cannot " + action + ": " + reason, e);
    }

    private static String reason(IOException e) {
        if (e instanceof NoSuchFileException) {
            return "no such file or folder";
        }
        if (e instanceof AccessDeniedException) {
            return "access denied";
        }
        if (e instanceof FileSystemException fs && fs.getReason() != null) {
            return fs.getReason();
        }
        return e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage();
    }
}
