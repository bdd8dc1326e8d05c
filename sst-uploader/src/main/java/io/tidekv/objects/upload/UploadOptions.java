package io.tidekv.objects.upload;

import java.time.Duration;

/**
 * Settings of an {@link Uploader}.
 *
 * @param uploadsMax uploads at one time
 * @param queuedMax uploads that wait; one more fails with UNAVAILABLE
 * @param deadline how long one upload is tried while the store is down
 */
public record UploadOptions(int uploadsMax, int queuedMax, Duration deadline) {
    public static UploadOptions defaults() {
        return new UploadOptions(4, 10_000, Duration.ofSeconds(30));
    }
}
