package io.tidekv.objects.archive;

/**
 * What a part holds of one region: a line of its footer.
 *
 * @param logId {@link LogIds}
 * @param commitIndex an entry that is known to be committed, with its term; 0: none is. Neither it
 *     nor any other entry need be in the part
 * @param offset where the operations begin in the object; the data follow them
 * @param opsLength 0: there are none, the line only tells what is committed
 * @param firstIndex lowest index of an entry in the part; 0 when there is none
 */
public record RegionSlice(
        long regionId,
        long logId,
        long commitIndex,
        long commitTerm,
        long offset,
        int opsLength,
        int opsCrc,
        int dataLength,
        long firstIndex,
        long lastIndex) {
    long dataOffset() {
        return offset + opsLength;
    }
}
