package io.tidekv.compute.tablet.rocks;

import java.io.IOException;
import java.io.InputStream;
import java.net.JarURLConnection;
import java.net.URL;
import java.net.URLConnection;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import org.rocksdb.RocksDB;
import org.rocksdb.util.Environment;

/**
 * Loads RocksDB's native library, once per process. RocksDB itself would unpack 17 MB into a new
 * temporary file at each start, and leave it there after a kill; here all processes share one file,
 * put in place by a rename, in $ROCKSDB_SHAREDLIB_DIR or else a folder of the user's own below the
 * temporary directory.
 */
final class NativeLibrary {
    private static boolean loaded;

    private NativeLibrary() {}

    static synchronized void load() {
        if (!loaded) {
            RocksDB.loadLibrary(List.of(unpack().toString()));
            loaded = true;
        }
    }

    private static Path unpack() {
        try {
            URLConnection packed = packed();
            Path folder = Files.createDirectories(base().resolve("rocksdb-" + identity(packed)));
            // The name under which RocksDB looks for it in a given folder.
            Path library = folder.resolve(Environment.getJniLibraryFileName("rocksdbjni"));
            long size = packed.getContentLengthLong();
            if (!Files.isRegularFile(library) || Files.size(library) != size) {
                Path part = Files.createTempFile(folder, "unpack", ".part");
                try (InputStream in = packed.getInputStream()) {
                    Files.copy(in, part, StandardCopyOption.REPLACE_EXISTING);
                    Files.move(part, library, StandardCopyOption.ATOMIC_MOVE);
                } finally {
                    Files.deleteIfExists(part);
                }
            }
            return folder;
        } catch (IOException e) {
            throw new IllegalStateException(
                    "cannot unpack RocksDB's native library: make the temporary directory"
                            + " writable or name another in ROCKSDB_SHAREDLIB_DIR: "
                            + e,
                    e);
        }
    }

    private static Path base() throws IOException {
        String named = System.getenv("ROCKSDB_SHAREDLIB_DIR");
        if (named != null) {
            return Files.createDirectories(Path.of(named));
        }
        String user = System.getProperty("user.name", "user");
        Path own = Path.of(System.getProperty("java.io.tmpdir", "/tmp"), "tidekv-native-" + user);
        Files.createDirectories(own);
        // Somebody else's folder could hold somebody else's code.
        if (!Files.getOwner(own).getName().equals(user)) {
            throw new IOException(own + " belongs to " + Files.getOwner(own).getName());
        }
        return own;
    }

    private static URLConnection packed() throws IOException {
        String resource = Environment.getJniLibraryFileName("rocksdb");
        URL url = RocksDB.class.getClassLoader().getResource(resource);
        if (url == null) {
            throw new IOException("this platform is not supported: no " + resource);
        }
        return url.openConnection();
    }

    /** Differs between versions of the library. */
    private static String identity(URLConnection packed) throws IOException {
        long size = packed.getContentLengthLong();
        long crc = packed instanceof JarURLConnection jar ? jar.getJarEntry().getCrc() : 0;
        return Long.toHexString(size) + "-" + Long.toHexString(crc);
    }
}
