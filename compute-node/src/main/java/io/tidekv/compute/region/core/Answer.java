package io.tidekv.compute.region.core;

import io.tidekv.proto.region.LoggedConfig;
import io.tidekv.proto.region.Snapshot;
import io.tidekv.proto.region.VoterConfig;
import io.tidekv.proto.wal.OpenResponse;
import java.util.List;

/**
 * The log of a voter as it answered Open: nobody but this leader changes it any more, unless a
 * higher term comes.
 *
 * @param config the one in force at the end of this log
 * @param learner the voter may lack what it once acknowledged
 */
record Answer(
        long walId,
        long lastIndex,
        long lastTerm,
        long commitIndex,
        Snapshot snapshot,
        VoterConfig config,
        List<LoggedConfig> loggedConfigs,
        boolean learner) {
    static Answer of(long walId, OpenResponse response) {
        return new Answer(
                walId,
                response.getLastIndex(),
                response.getLastTerm(),
                response.getCommitIndex(),
                response.getSnapshot(),
                response.getConfig(),
                response.getLoggedConfigsList(),
                response.getLearner());
    }
}
