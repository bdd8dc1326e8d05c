package io.tidekv.objects.upload;

/**
 * What an uploader does and has done since it was opened.
 *
 * @param waitingBytes queued and under way
 * @param lagMillis age of the oldest upload that is not done; 0 when there is none
 * @param failures uploads that were given up
 */
public record UploadStats(
        int waiting,
        long waitingBytes,
        long lagMillis,
        long uploads,
        long uploadedBytes,
        long retries,
        long failures) {}
