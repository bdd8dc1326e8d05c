package io.tidekv.objects.store;

import io.tidekv.objects.store.ObjectStore.ObjectInfo;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.core.sync.ResponseTransformer;
import software.amazon.awssdk.http.AbortableInputStream;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.s3.model.GetObjectRequest;
import software.amazon.awssdk.services.s3.model.GetObjectResponse;

/**
 * One attempt to read an object. Bodies are read inside the client's call, so that its deadline
 * holds for them too; a body that is given up is not read to its end.
 */
record S3Reader(S3Client client, S3Location location, String name, Duration left) {
    private static final int CHUNK_BYTES = 256 << 10;

    byte[] whole(long bytesMax) {
        return read(
                null,
                (head, body) -> {
                    if (head.contentLength() > Math.min(bytesMax, Integer.MAX_VALUE - 8)) {
                        throw StoreErrors.tooLong(name, head.contentLength(), bytesMax);
                    }
                    byte[] bytes = exactly(body, head.contentLength().intValue());
                    check(head, Checksums.crc32c(bytes));
                    return bytes;
                });
    }

    byte[] range(long offset, int length) {
        return read(
                "bytes=" + offset + "-" + (offset + length - 1),
                (head, body) -> {
                    if (head.contentLength() != length) {
                        throw StoreErrors.endsBefore(
                                name, offset + head.contentLength(), offset + length);
                    }
                    return exactly(body, length);
                });
    }

    /** Leaves nothing at {@code target} after a failure. */
    ObjectInfo toFile(Path target) {
        boolean whole = false;
        try {
            ObjectInfo info = read(null, (head, body) -> copy(head, body, target));
            whole = true;
            return info;
        } finally {
            if (!whole) {
                Folders.deleteQuietly(target);
            }
        }
    }

    private ObjectInfo copy(GetObjectResponse head, InputStream body, Path target)
            throws IOException {
        CRC32C crc = new CRC32C();
        byte[] chunk = new byte[CHUNK_BYTES];
        long length = 0;
        try (OutputStream out = create(target)) {
            for (int read = body.read(chunk); read >= 0; read = body.read(chunk)) {
                crc.update(chunk, 0, read);
                write(out, chunk, read, target);
                length += read;
            }
        }
        if (length != head.contentLength()) {
            throw new IOException("the body ended after " + length + " bytes");
        }
        int crc32c = (int) crc.getValue();
        check(head, crc32c);
        return new ObjectInfo(name, length, crc32c);
    }

    private OutputStream create(Path target) {
        try {
            return Files.newOutputStream(
                    target, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
        } catch (IOException e) {
            throw StoreErrors.failed(name, "create " + target, e);
        }
    }

    /** A full disk is not the store's failure. */
    private void write(OutputStream out, byte[] chunk, int length, Path target) {
        try {
            out.write(chunk, 0, length);
        } catch (IOException e) {
            throw StoreErrors.failed(name, "write " + target, e);
        }
    }

    private void check(GetObjectResponse head, int actual) {
        Integer expected = S3Target.crc32c(head.metadata());
        if (expected != null && expected != actual) {
            throw StoreErrors.checksum(name, expected, actual);
        }
    }

    private static byte[] exactly(InputStream body, int length) throws IOException {
        byte[] bytes = body.readNBytes(length);
        if (bytes.length != length) {
            throw new IOException("the body ended after " + bytes.length + " bytes");
        }
        return bytes;
    }

    private interface Body<T> {
        T read(GetObjectResponse head, InputStream body) throws IOException;
    }

    private <T> T read(@Nullable String range, Body<T> body) {
        GetObjectRequest.Builder request =
                GetObjectRequest.builder()
                        .bucket(location.bucket())
                        .key(name)
                        .overrideConfiguration(o -> o.apiCallTimeout(left));
        if (range != null) {
            request.range(range);
        }
        ResponseTransformer<GetObjectResponse, T> transformer =
                (head, stream) -> consume(head, stream, body);
        return client.getObject(request.build(), transformer);
    }

    private static <T> T consume(GetObjectResponse head, AbortableInputStream stream, Body<T> body)
            throws IOException {
        boolean whole = false;
        try {
            if (head.contentLength() == null) {
                throw new IOException("the answer does not say its length");
            }
            T result = body.read(head, stream);
            whole = true;
            return result;
        } finally {
            if (!whole) {
                stream.abort();
            }
        }
    }
}
