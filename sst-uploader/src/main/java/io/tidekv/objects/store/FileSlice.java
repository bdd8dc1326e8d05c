package io.tidekv.objects.store;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.zip.CRC32C;

/** A range of a file that can be read more than once. */
record FileSlice(Path file, long offset, long length) {
    private static final int CHUNK_BYTES = 256 << 10;

    /** CRC32C of the slice; {@code whole} is updated too. */
    int crc32c(CRC32C whole) throws IOException {
        CRC32C own = new CRC32C();
        byte[] chunk = new byte[CHUNK_BYTES];
        try (InputStream in = new Reader()) {
            for (int read = in.read(chunk); read >= 0; read = in.read(chunk)) {
                own.update(chunk, 0, read);
                whole.update(chunk, 0, read);
            }
        }
        return (int) own.getValue();
    }

    InputStream open() {
        try {
            return new BufferedInputStream(new Reader(), CHUNK_BYTES);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Reads the slice once. */
    private final class Reader extends InputStream {
        private final FileChannel channel = FileChannel.open(file, StandardOpenOption.READ);
        private long at;

        private Reader() throws IOException {}

        @Override
        public int read() throws IOException {
            byte[] one = new byte[1];
            return read(one, 0, 1) < 0 ? -1 : one[0] & 0xFF;
        }

        @Override
        public int read(byte[] into, int from, int size) throws IOException {
            int wanted = (int) Math.min(size, length - at);
            if (size > 0 && wanted == 0) {
                return -1;
            }
            int read = channel.read(ByteBuffer.wrap(into, from, wanted), offset + at);
            at += Math.max(read, 0);
            return read;
        }

        @Override
        public void close() throws IOException {
            channel.close();
        }
    }
}
