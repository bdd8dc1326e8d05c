package io.tidekv.objects.archive;

import io.tidekv.proto.region.Entry;

/**
 * A committed entry.
 *
 * @param writtenMillis when the first of its voters wrote it, by that node's wall clock; 0 when not
 *     known
 */
public record ArchivedEntry(Entry entry, long writtenMillis) {}
