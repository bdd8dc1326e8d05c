package io.tidekv.objects.store;

import io.tidekv.objects.store.ObjectStoreException.Kind;
import io.tidekv.objects.store.S3Clients.Opened;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.awscore.exception.AwsServiceException;
import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.core.sync.RequestBody;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.s3.model.HeadObjectResponse;
import software.amazon.awssdk.services.s3.model.ListObjectsV2Response;
import software.amazon.awssdk.services.s3.model.PutObjectRequest;
import software.amazon.awssdk.services.s3.model.S3Object;

/**
 * A bucket of S3 or of a store that speaks like it. Puts are conditional ({@code If-None-Match: *})
 * and carry the CRC32C, as a header that the store checks and as metadata that every store keeps.
 * Retries are bounded by a deadline per call and by a budget for the whole store. The client is
 * made at the first call.
 */
final class S3ObjectStore implements ObjectStore {
    private static final Duration PAUSE_MIN = Duration.ofMillis(50);
    private static final Duration PAUSE_MAX = Duration.ofSeconds(3);

    private final S3Location location;
    private final S3Errors errors;
    private final Retries retries;
    private final S3Limits limits;
    private @Nullable Opened opened;
    private boolean closed;
    private volatile boolean bucketSeen;

    S3ObjectStore(S3Location location, StoreContext context, S3Limits limits) {
        this.location = location;
        this.errors = new S3Errors(location);
        this.retries = new Retries(context, new RetryBudget(100, 0.2));
        this.limits = limits;
    }

    private synchronized S3Client client() {
        if (closed) {
            throw StoreErrors.closed("", describe());
        }
        Opened current = opened;
        if (current == null) {
            current = S3Clients.open(location);
            opened = current;
        }
        return current.client();
    }

    /** One call with its retries; {@code bytes} lengthen the time of an attempt. */
    private <T> T call(String name, long bytes, S3Call<T> call) {
        Retries.Policy policy = new Retries.Policy(limits.retryTime(), PAUSE_MIN, PAUSE_MAX);
        return retries.call(
                name,
                policy,
                remaining -> {
                    try {
                        T result = call.run(client(), limits.attempt(bytes));
                        bucketSeen = true;
                        return result;
                    } catch (SdkException e) {
                        throw errors.map(name, e);
                    }
                });
    }

    @Override
    public void putIfAbsent(String name, byte[] bytes) {
        put(name, Checksums.crc32c(bytes), bytes.length, RequestBody.fromBytes(bytes));
    }

    @Override
    public void putFileIfAbsent(String name, Path file, int crc32c) {
        ObjectNames.check(name);
        try {
            long length = Files.size(file);
            if (length >= limits.multipartBytes()) {
                S3Target target = new S3Target(location, name, length, crc32c);
                S3Multipart multipart = new S3Multipart(target, file, limits.partBytes());
                call(
                        name,
                        length,
                        (client, left) -> {
                            multipart.upload(client, left, e -> settle(name, crc32c, length, e));
                            return name;
                        });
                return;
            }
            if (Checksums.crc32c(file) != crc32c) {
                throw StoreErrors.changed(name, file);
            }
            put(name, crc32c, length, RequestBody.fromFile(file));
        } catch (IOException e) {
            throw StoreErrors.failed(name, "read " + file, e);
        }
    }

    private void put(String name, int crc32c, long length, RequestBody body) {
        S3Target target = new S3Target(location, ObjectNames.check(name), length, crc32c);
        call(
                name,
                length,
                (client, left) -> {
                    PutObjectRequest.Builder request =
                            PutObjectRequest.builder()
                                    .bucket(location.bucket())
                                    .key(name)
                                    .ifNoneMatch("*")
                                    .contentLength(length)
                                    .metadata(target.metadata())
                                    .overrideConfiguration(o -> o.apiCallTimeout(left));
                    if (location.checksums()) {
                        request.checksumCRC32C(S3Target.base64(crc32c));
                    }
                    try {
                        client.putObject(request.build(), body);
                    } catch (AwsServiceException e) {
                        settle(name, crc32c, length, e);
                    }
                    return name;
                });
    }

    /** The name was taken, possibly by an earlier attempt: fine if what is there is the same. */
    private void settle(String name, int crc32c, long length, AwsServiceException e) {
        if (e.statusCode() != 412) {
            throw e;
        }
        ObjectInfo there = head(name);
        if (there == null) {
            throw new ObjectStoreException(
                    Kind.UNAVAILABLE, name, name + " was there and is gone", e);
        }
        Integer known = there.crc32c();
        boolean same =
                there.length() == length
                        && (known != null ? known : Checksums.crc32c(get(name, length))) == crc32c;
        if (!same) {
            throw StoreErrors.taken(name);
        }
    }

    @Override
    public @Nullable ObjectInfo head(String name) {
        ObjectNames.check(name);
        Optional<ObjectInfo> info =
                call(
                        name,
                        0,
                        (client, left) -> {
                            try {
                                HeadObjectResponse head =
                                        client.headObject(
                                                r ->
                                                        r.bucket(location.bucket())
                                                                .key(name)
                                                                .overrideConfiguration(
                                                                        o ->
                                                                                o.apiCallTimeout(
                                                                                        left)));
                                return Optional.of(
                                        new ObjectInfo(
                                                name,
                                                head.contentLength(),
                                                S3Target.crc32c(head.metadata()),
                                                millis(head.lastModified())));
                            } catch (AwsServiceException e) {
                                if (e.statusCode() != 404) {
                                    throw e;
                                }
                                checkBucket(client, left);
                                return Optional.empty();
                            }
                        });
        return info.orElse(null);
    }

    /** HEAD says 404 without a reason: an absent bucket must not look like an absent object. */
    private void checkBucket(S3Client client, Duration left) {
        if (bucketSeen) {
            return;
        }
        try {
            client.headBucket(
                    r ->
                            r.bucket(location.bucket())
                                    .overrideConfiguration(o -> o.apiCallTimeout(left)));
        } catch (AwsServiceException e) {
            if (e.statusCode() == 404) {
                throw errors.noSuchBucket(e);
            }
            throw e;
        }
    }

    @Override
    public byte[] get(String name, long bytesMax) {
        ObjectNames.check(name);
        return call(
                name,
                limits.expectedBytes(),
                (client, left) -> new S3Reader(client, location, name, left).whole(bytesMax));
    }

    @Override
    public byte[] getRange(String name, long offset, int length) {
        ObjectNames.check(name);
        StoreErrors.checkRange(name, offset, length);
        if (length == 0) {
            ObjectInfo info = head(name);
            if (info == null) {
                throw StoreErrors.notFound(name, describe());
            }
            if (offset > info.length()) {
                throw StoreErrors.endsBefore(name, info.length(), offset);
            }
            return new byte[0];
        }
        return call(
                name,
                length,
                (client, left) -> new S3Reader(client, location, name, left).range(offset, length));
    }

    @Override
    public ObjectInfo getToFile(String name, Path target) {
        ObjectNames.check(name);
        if (Files.exists(target)) {
            throw new ObjectStoreException(
                    Kind.INVALID, name, target + " exists: it is not overwritten", null);
        }
        return call(
                name,
                limits.expectedBytes(),
                (client, left) -> new S3Reader(client, location, name, left).toFile(target));
    }

    @Override
    public List<ObjectInfo> list(String prefix, String after, int limit) {
        ObjectNames.checkPrefix(prefix);
        List<ObjectInfo> found = new ArrayList<>();
        String from = after;
        while (found.size() < limit) {
            ListObjectsV2Response page = page(prefix, from, limit - found.size());
            for (S3Object object : page.contents()) {
                from = object.key();
                if (ObjectNames.isValid(from)) {
                    found.add(
                            new ObjectInfo(
                                    from, object.size(), null, millis(object.lastModified())));
                }
            }
            if (!Boolean.TRUE.equals(page.isTruncated()) || page.contents().isEmpty()) {
                break;
            }
        }
        return found;
    }

    private static long millis(@Nullable Instant time) {
        return time == null ? ObjectInfo.UNKNOWN_TIME : time.toEpochMilli();
    }

    private ListObjectsV2Response page(String prefix, String after, int limit) {
        return call(
                prefix,
                0,
                (client, left) -> {
                    ListObjectsV2Response page =
                            client.listObjectsV2(
                                    r -> {
                                        r.bucket(location.bucket())
                                                .prefix(prefix)
                                                .maxKeys(Math.min(limit, 1000))
                                                .overrideConfiguration(o -> o.apiCallTimeout(left));
                                        if (!after.isEmpty()) {
                                            r.startAfter(after);
                                        }
                                    });
                    if (page.name() == null && page.isTruncated() == null) {
                        // A web page parses as a listing of nothing.
                        throw errors.foreign(prefix);
                    }
                    return page;
                });
    }

    @Override
    public void delete(String name) {
        ObjectNames.check(name);
        call(
                name,
                0,
                (client, left) -> {
                    try {
                        client.deleteObject(
                                r ->
                                        r.bucket(location.bucket())
                                                .key(name)
                                                .overrideConfiguration(
                                                        o -> o.apiCallTimeout(left)));
                    } catch (AwsServiceException e) {
                        if (!S3Errors.code(e).equals("NoSuchKey")) {
                            throw e;
                        }
                    }
                    return name;
                });
    }

    @Override
    public String describe() {
        return location.describe();
    }

    @Override
    public synchronized void close() {
        closed = true;
        if (opened != null) {
            opened.close();
            opened = null;
        }
    }

    /** One attempt, with the time that it has. */
    private interface S3Call<T> {
        T run(S3Client client, Duration left);
    }
}
