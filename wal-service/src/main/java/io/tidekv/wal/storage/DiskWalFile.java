package io.tidekv.wal.storage;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/** An open file of a {@link DiskWalFiles}. */
final class DiskWalFile implements WalFile {
    private final Path path;
    private final FileChannel channel;
    private final CacheBypass bypass;
    private @Nullable FileChannel direct;

    DiskWalFile(Path path, FileChannel channel, CacheBypass bypass) {
        this.path = path;
        this.channel = channel;
        this.bypass = bypass;
    }

    @Override
    public String name() {
        return String.valueOf(path.getFileName());
    }

    @Override
    public long size() throws IOException {
        return channel.size();
    }

    @Override
    public void write(long position, ByteBuffer from) throws IOException {
        writeAll(channel, position, from);
    }

    static void writeAll(FileChannel channel, long position, ByteBuffer from) throws IOException {
        long at = position;
        while (from.hasRemaining()) {
            at += channel.write(from, at);
        }
    }

    @Override
    public void writeBlocks(long position, ByteBuffer from) throws IOException {
        if (direct == null) {
            direct = bypass.open(path);
        }
        if (direct == null || !bypass.write(direct, position, from)) {
            write(position, from);
        }
    }

    @Override
    public void read(long position, ByteBuffer into) throws IOException {
        long at = position;
        while (into.hasRemaining()) {
            int count = channel.read(into, at);
            if (count < 0) {
                return;
            }
            at += count;
        }
    }

    @Override
    public void truncate(long size) throws IOException {
        channel.truncate(size);
    }

    /** Of everything that was written to the file, by whatever channel. */
    @Override
    public void sync() throws IOException {
        channel.force(false);
    }

    @Override
    public void close() throws IOException {
        FileChannel second = direct;
        if (second != null) {
            second.close();
        }
        channel.close();
    }
}
