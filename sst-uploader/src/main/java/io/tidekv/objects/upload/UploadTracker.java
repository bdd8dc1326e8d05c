package io.tidekv.objects.upload;

import io.tidekv.common.time.Clock;
import java.util.LinkedHashSet;
import java.util.Set;

/** Counts uploads from the moment they are asked for. Thread-safe. */
final class UploadTracker {
    private final Clock clock;
    // In the order of their beginning: the first is the oldest.
    private final Set<Upload> waiting = new LinkedHashSet<>();
    private long waitingBytes;
    private long uploads;
    private long uploadedBytes;
    private long failures;

    UploadTracker(Clock clock) {
        this.clock = clock;
    }

    synchronized Upload begin(long bytes) {
        Upload upload = new Upload(bytes, clock.monotonicNanos());
        waiting.add(upload);
        waitingBytes += bytes;
        return upload;
    }

    synchronized UploadStats stats(long retries) {
        long lagNanos =
                waiting.isEmpty()
                        ? 0
                        : clock.monotonicNanos() - waiting.iterator().next().beginNanos;
        return new UploadStats(
                waiting.size(),
                waitingBytes,
                lagNanos / 1_000_000,
                uploads,
                uploadedBytes,
                retries,
                failures);
    }

    /** One upload. */
    final class Upload {
        private final long bytes;
        private final long beginNanos;

        private Upload(long bytes, long beginNanos) {
            this.bytes = bytes;
            this.beginNanos = beginNanos;
        }

        void end(boolean done) {
            synchronized (UploadTracker.this) {
                if (!waiting.remove(this)) {
                    return;
                }
                waitingBytes -= bytes;
                uploads += done ? 1 : 0;
                uploadedBytes += done ? bytes : 0;
                failures += done ? 0 : 1;
            }
        }
    }
}
