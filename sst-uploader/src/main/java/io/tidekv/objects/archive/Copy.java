package io.tidekv.objects.archive;

/**
 * Where one node's copy of an entry lies.
 *
 * @param dataAt where its data begin in the object
 * @param wallMillis when the node wrote it, by its clock; 0 when not known
 */
record Copy(
        String object,
        long index,
        long term,
        int kind,
        long dataAt,
        int dataLength,
        int dataCrc,
        long wallMillis) {
    boolean isSameEntry(Copy other) {
        return term == other.term
                && kind == other.kind
                && dataLength == other.dataLength
                && dataCrc == other.dataCrc;
    }
}
