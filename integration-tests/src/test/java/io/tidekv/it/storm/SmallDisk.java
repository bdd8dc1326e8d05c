package io.tidekv.it.storm;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** A file system of some megabytes in memory that can be filled. Linux, root. */
final class SmallDisk implements AutoCloseable {
    private static final String SIZE = "200m";

    private final Path folder;
    private final boolean mounted;

    private SmallDisk(Path folder, boolean mounted) {
        this.folder = folder;
        this.mounted = mounted;
    }

    /**
     * @param wanted false: none is mounted
     */
    static SmallDisk mount(Path folder, boolean wanted) throws IOException {
        if (wanted) {
            Files.createDirectories(folder);
            Shell.run("mount", "-t", "tmpfs", "-o", "size=" + SIZE, "tidekv-storm", folder + "");
        }
        return new SmallDisk(folder, wanted);
    }

    boolean isMounted() {
        return mounted;
    }

    @Override
    public void close() {
        if (mounted) {
            Shell.tryTo("umount", "-l", folder.toString());
        }
    }
}
