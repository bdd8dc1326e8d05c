package io.tidekv.objects.store;

/** A MinIO for tests. */
interface Minio extends AutoCloseable {
    String KEY = "tidekv-test";
    String SECRET = "tidekv-test-secret";

    String endpoint();

    default S3Location location(String bucket) {
        return S3Location.parse(
                "s3://"
                        + bucket
                        + "?endpoint="
                        + endpoint()
                        + "&access-key="
                        + KEY
                        + "&secret-key="
                        + SECRET);
    }

    @Override
    void close();
}
