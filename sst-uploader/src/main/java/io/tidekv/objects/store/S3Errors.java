package io.tidekv.objects.store;

import io.tidekv.objects.store.ObjectStoreException.Kind;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.awscore.exception.AwsServiceException;
import software.amazon.awssdk.core.exception.AbortedException;
import software.amazon.awssdk.core.exception.ApiCallTimeoutException;
import software.amazon.awssdk.core.exception.SdkException;

/**
 * What an answer of S3, or none, means. Codes and states as in "Error responses" of the Amazon S3
 * API reference, and those that MinIO adds.
 */
final class S3Errors {
    private final S3Location location;

    S3Errors(S3Location location) {
        this.location = location;
    }

    ObjectStoreException map(String object, SdkException e) {
        if (e instanceof ApiCallTimeoutException) {
            return error(Kind.UNAVAILABLE, object, "did not answer in time", e);
        }
        if (e instanceof AbortedException || Thread.currentThread().isInterrupted()) {
            return StoreErrors.interrupted(object, e);
        }
        for (Throwable cause = e.getCause(); cause != null; cause = cause.getCause()) {
            if (cause instanceof ObjectStoreException own) {
                return own;
            }
        }
        return e instanceof AwsServiceException answer
                ? mapAnswer(object, answer)
                : mapFailure(object, e);
    }

    /** The error code of an answer; empty where there is none, as after HEAD. */
    static String code(AwsServiceException e) {
        String code = e.awsErrorDetails() == null ? null : e.awsErrorDetails().errorCode();
        return code == null ? "" : code;
    }

    private ObjectStoreException mapAnswer(String object, AwsServiceException e) {
        String code = code(e);
        String said = e.statusCode() + (code.isEmpty() ? "" : " " + code);
        switch (code) {
            case "NoSuchBucket":
                return noSuchBucket(e);
            case "InvalidBucketName":
                return error(Kind.INVALID, object, "says that the bucket's name is wrong", e);
            case "PermanentRedirect":
            case "AuthorizationHeaderMalformed":
                return error(
                        Kind.INVALID,
                        object,
                        "says " + said + ": the bucket is in another region: set region=",
                        e);
            case "RequestTimeTooSkewed":
                return error(Kind.FORBIDDEN, object, "says that this machine's clock is wrong", e);
            case "BadDigest":
            case "XAmzContentSHA256Mismatch":
            case "XAmzContentChecksumMismatch":
                return error(Kind.CORRUPT, object, "received other bytes than were sent", e);
            case "XMinioStorageFull":
            case "XMinioAdminBucketQuotaExceeded":
            case "QuotaExceeded":
                return error(Kind.FULL, object, "is full: free some space", e);
            case "InvalidRange":
                return StoreErrors.corrupt(object, "it ends before the range that was asked for");
            case "ExpiredToken":
            case "TokenRefreshRequired":
            case "InvalidToken":
                return forbidden(object, said, e);
            case "RequestTimeout":
            case "SlowDown":
            case "SlowDownRead":
            case "SlowDownWrite":
            case "ConditionalRequestConflict":
            case "OperationAborted":
                return error(Kind.UNAVAILABLE, object, "says " + said, e);
            default:
                return mapState(object, said, e);
        }
    }

    private ObjectStoreException mapState(String object, String said, AwsServiceException e) {
        switch (e.statusCode()) {
            case 404:
                return StoreErrors.notFound(object, location.describe());
            case 401:
            case 403:
                return forbidden(object, said, e);
            case 408:
            case 409:
            case 425:
            case 429:
                return error(Kind.UNAVAILABLE, object, "says " + said, e);
            case 412:
                return StoreErrors.taken(object);
            case 416:
                return StoreErrors.corrupt(object, "it ends before the range that was asked for");
            case 507:
                return error(Kind.FULL, object, "is full: free some space", e);
            case 501:
                return error(Kind.INVALID, object, "cannot do what TideKV needs (" + said + ")", e);
            default:
                // An answer below 400 is none of S3's: a proxy or another service in between.
                boolean passes = e.statusCode() >= 500 || e.statusCode() < 400;
                return error(passes ? Kind.UNAVAILABLE : Kind.INVALID, object, "says " + said, e);
        }
    }

    /** The request did not get through, or its answer did not get back. */
    private ObjectStoreException mapFailure(String object, SdkException e) {
        String message = String.valueOf(e.getMessage());
        String lower = message.toLowerCase(Locale.ROOT);
        if (lower.contains("unable to load credentials")) {
            return error(
                    Kind.FORBIDDEN,
                    object,
                    "needs credentials: give access-key and secret-key or profile in the URI, or"
                            + " set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
                    e);
        }
        if (lower.contains("unable to load region")) {
            return error(Kind.INVALID, object, "needs region= in the URI, or AWS_REGION", e);
        }
        if (lower.contains("credentials for profile")) {
            return error(
                    Kind.FORBIDDEN,
                    object,
                    "needs credentials: profile "
                            + location.profile()
                            + " is not in ~/.aws/credentials",
                    e);
        }
        return error(Kind.UNAVAILABLE, object, "cannot be reached: " + rootMessage(e), e);
    }

    /** The answer was well-formed and yet none that S3 gives. */
    ObjectStoreException foreign(String object) {
        return error(
                Kind.UNAVAILABLE,
                object,
                "does not answer as S3 does: is the endpoint right?",
                null);
    }

    ObjectStoreException noSuchBucket(@Nullable Throwable cause) {
        return new ObjectStoreException(
                Kind.INVALID,
                "",
                location.describe() + " does not exist: create the bucket, or correct the URI",
                cause);
    }

    private ObjectStoreException forbidden(String object, String said, Throwable cause) {
        return error(
                Kind.FORBIDDEN,
                object,
                "refuses these credentials (" + said + "): check keys and rights",
                cause);
    }

    private ObjectStoreException error(
            Kind kind, String object, String what, @Nullable Throwable cause) {
        String about = object.isEmpty() ? "" : " (" + object + ")";
        return new ObjectStoreException(
                kind, object, location.describe() + " " + what + about, cause);
    }

    private static String rootMessage(Throwable e) {
        Throwable root = e;
        while (root.getCause() != null && root.getCause() != root) {
            root = root.getCause();
        }
        String message = String.valueOf(root.getMessage()).replaceAll("\\s+", " ");
        return root.getClass().getSimpleName() + ": " + message;
    }
}
