package io.tidekv.objects.hydrate;

/**
 * What a cache holds and has done since it was opened.
 *
 * @param bytes on disk, of {@code bytesMax}
 * @param fetchNanos time spent in fetches, summed over those that ran side by side
 * @param damaged files that were dropped because they failed their checksum
 */
public record CacheStats(
        long bytes,
        long bytesMax,
        int files,
        int fetching,
        long hits,
        long fetches,
        long fetchedBytes,
        long fetchNanos,
        long failures,
        long evictions,
        long damaged) {}
