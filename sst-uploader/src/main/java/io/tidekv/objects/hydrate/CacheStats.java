package io.tidekv.objects.hydrate;

/**
 * What a cache holds and has done since it was opened.
 *
 * @param bytes on disk, of {@code bytesMax}
 * @param partBytes of these in files that are here in part
 * @param fetches whole files fetched, of {@code fetchedBytes} together
 * @param ranges parts of files fetched, of {@code rangeBytes} together
 * @param fetchNanos time spent in fetches, summed over those that ran side by side
 * @param damaged files that were dropped because they failed their checksum
 */
public record CacheStats(
        long bytes,
        long partBytes,
        long bytesMax,
        int files,
        int fetching,
        long hits,
        long fetches,
        long fetchedBytes,
        long ranges,
        long rangeBytes,
        long fetchNanos,
        long failures,
        long evictions,
        long damaged) {}
