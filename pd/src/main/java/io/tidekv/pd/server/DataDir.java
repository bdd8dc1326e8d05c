package io.tidekv.pd.server;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.stream.Stream;

/**
 * The data folder of a PD node: in use by one process at a time, and by the node that began it. The
 * lock ends with the process, however it ends.
 */
final class DataDir implements AutoCloseable {
    private static final String MARK = "tidekv-pd";
    private static final String FORMAT = "tidekv pd data 1 ";

    private final Path folder;
    private final FileChannel channel;

    private DataDir(Path folder, FileChannel channel) {
        this.folder = folder;
        this.channel = channel;
    }

    /** Opens or begins the folder of the node {@code name}. */
    static DataDir open(Path folder, String name) throws IOException {
        Path mark = folder.resolve(MARK);
        if (Files.exists(folder) && !Files.isDirectory(folder)) {
            throw new IOException("data-dir " + folder + " is not a folder: choose another");
        }
        Files.createDirectories(folder);
        if (!Files.exists(mark) && !isEmpty(folder)) {
            throw new IOException(
                    "data-dir " + folder + " holds files that are not PD's: choose another");
        }
        FileChannel channel =
                FileChannel.open(
                        mark,
                        StandardOpenOption.CREATE,
                        StandardOpenOption.READ,
                        StandardOpenOption.WRITE);
        try {
            lock(channel, folder);
            check(mark, folder, name);
            return new DataDir(folder, channel);
        } catch (IOException e) {
            channel.close();
            throw e;
        }
    }

    Path raft() {
        return folder.resolve("raft");
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }

    private static void lock(FileChannel channel, Path folder) throws IOException {
        try {
            FileLock lock = channel.tryLock();
            if (lock != null) {
                return;
            }
        } catch (OverlappingFileLockException e) {
            // Another node in this process.
        }
        throw new IOException(
                "data-dir " + folder + " is in use by another PD: stop it, or choose another");
    }

    private static void check(Path mark, Path folder, String name) throws IOException {
        String content = Files.readString(mark);
        if (content.isEmpty()) {
            Files.writeString(mark, FORMAT + name + "\n");
        } else if (!content.startsWith(FORMAT)) {
            throw new IOException(
                    "data-dir " + folder + " is of another version of TideKV, or damaged");
        } else if (!content.strip().equals(FORMAT + name)) {
            throw new IOException(
                    "data-dir "
                            + folder
                            + " belongs to the PD node "
                            + content.strip().substring(FORMAT.length())
                            + ", not to "
                            + name);
        }
    }

    private static boolean isEmpty(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.findAny().isEmpty();
        }
    }
}
