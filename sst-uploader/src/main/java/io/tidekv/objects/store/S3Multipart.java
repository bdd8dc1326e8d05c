package io.tidekv.objects.store;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.zip.CRC32C;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import software.amazon.awssdk.awscore.exception.AwsServiceException;
import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.core.sync.RequestBody;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.s3.model.ChecksumAlgorithm;
import software.amazon.awssdk.services.s3.model.CompletedPart;
import software.amazon.awssdk.services.s3.model.UploadPartRequest;

/**
 * Uploads a large file in parts, one after the other, and completes it on the condition that the
 * name is free. Each part is tried a few times; what fails beyond that is aborted as a whole.
 */
final class S3Multipart {
    private static final Logger log = LoggerFactory.getLogger(S3Multipart.class);
    private static final int PART_ATTEMPTS = 3;

    private final S3Target target;
    private final Path file;
    private final int partBytes;

    S3Multipart(S3Target target, Path file, int partBytes) {
        this.target = target;
        this.file = file;
        this.partBytes = partBytes;
    }

    /**
     * One attempt at the whole upload.
     *
     * @param settle decides about an answer to the completion that is none of success; throws
     *     unless the object is there
     */
    void upload(S3Client client, Duration left, Consumer<AwsServiceException> settle) {
        String uploadId = create(client, left);
        boolean completed = false;
        try {
            List<CompletedPart> parts = sendParts(client, uploadId, left);
            completed = complete(client, uploadId, parts, left, settle);
        } finally {
            if (!completed) {
                abort(client, uploadId, left);
            }
        }
    }

    private String create(S3Client client, Duration left) {
        return client.createMultipartUpload(
                        r -> {
                            r.bucket(target.location().bucket())
                                    .key(target.name())
                                    .metadata(target.metadata())
                                    .overrideConfiguration(o -> o.apiCallTimeout(left));
                            if (target.location().checksums()) {
                                r.checksumAlgorithm(ChecksumAlgorithm.CRC32_C);
                            }
                        })
                .uploadId();
    }

    private List<CompletedPart> sendParts(S3Client client, String uploadId, Duration left) {
        List<CompletedPart> parts = new ArrayList<>();
        CRC32C whole = new CRC32C();
        // S3 takes at most 10 000 parts.
        long size = Math.max(partBytes, target.length() / 9_000 + 1);
        for (long at = 0; at < target.length(); at += size) {
            FileSlice slice = new FileSlice(file, at, Math.min(size, target.length() - at));
            int crc32c;
            try {
                crc32c = slice.crc32c(whole);
            } catch (IOException e) {
                throw StoreErrors.failed(target.name(), "read " + file, e);
            }
            parts.add(sendPart(client, uploadId, parts.size() + 1, slice, crc32c, left));
        }
        if ((int) whole.getValue() != target.crc32c()) {
            throw StoreErrors.changed(target.name(), file);
        }
        return parts;
    }

    private CompletedPart sendPart(
            S3Client client,
            String uploadId,
            int number,
            FileSlice slice,
            int crc32c,
            Duration left) {
        UploadPartRequest.Builder request =
                UploadPartRequest.builder()
                        .bucket(target.location().bucket())
                        .key(target.name())
                        .uploadId(uploadId)
                        .partNumber(number)
                        .contentLength(slice.length())
                        .overrideConfiguration(o -> o.apiCallTimeout(left));
        CompletedPart.Builder part = CompletedPart.builder().partNumber(number);
        if (target.location().checksums()) {
            request.checksumCRC32C(S3Target.base64(crc32c));
            part.checksumCRC32C(S3Target.base64(crc32c));
        }
        RequestBody body =
                RequestBody.fromContentProvider(
                        slice::open, slice.length(), "application/octet-stream");
        for (int attempt = 1; ; attempt++) {
            try {
                return part.eTag(client.uploadPart(request.build(), body).eTag()).build();
            } catch (SdkException e) {
                boolean passes =
                        !(e instanceof AwsServiceException answer) || answer.statusCode() >= 500;
                if (!passes || attempt == PART_ATTEMPTS || Thread.currentThread().isInterrupted()) {
                    throw e;
                }
            }
        }
    }

    private boolean complete(
            S3Client client,
            String uploadId,
            List<CompletedPart> parts,
            Duration left,
            Consumer<AwsServiceException> settle) {
        try {
            client.completeMultipartUpload(
                    r ->
                            r.bucket(target.location().bucket())
                                    .key(target.name())
                                    .uploadId(uploadId)
                                    .ifNoneMatch("*")
                                    .multipartUpload(u -> u.parts(parts))
                                    .overrideConfiguration(o -> o.apiCallTimeout(left)));
            return true;
        } catch (AwsServiceException e) {
            settle.accept(e);
            // Somebody's upload of the same bytes is there: ours is not needed.
            return false;
        }
    }

    private void abort(S3Client client, String uploadId, Duration left) {
        try {
            client.abortMultipartUpload(
                    r ->
                            r.bucket(target.location().bucket())
                                    .key(target.name())
                                    .uploadId(uploadId)
                                    .overrideConfiguration(o -> o.apiCallTimeout(left)));
        } catch (SdkException e) {
            log.info(
                    "the parts of an upload of {} are left to the bucket's lifecycle rule: {}",
                    target.name(),
                    e.getMessage());
        }
    }
}
