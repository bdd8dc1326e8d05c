package io.tidekv.compute.region.core;

import io.tidekv.proto.region.Snapshot;
import io.tidekv.proto.wal.OpenResponse;

/**
 * The log of a voter as it answered Open: nobody but this leader changes it any more, unless a
 * higher term comes.
 */
record Answer(long walId, long lastIndex, long lastTerm, long commitIndex, Snapshot snapshot) {
    static Answer of(long walId, OpenResponse response) {
        return new Answer(
                walId,
                response.getLastIndex(),
                response.getLastTerm(),
                response.getCommitIndex(),
                response.getSnapshot());
    }
}
