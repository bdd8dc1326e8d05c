package io.tidekv.wal.core;

import io.tidekv.proto.region.Owner;
import io.tidekv.proto.region.Snapshot;
import io.tidekv.proto.region.VoterConfig;

/**
 * A region at a voter at one moment, for status, tails and tests.
 *
 * @param term 0 before the first Open
 * @param pendingTerm 0 when none
 * @param config the one in force at the end of the log
 * @param learner it may lack what it once acknowledged, and has to catch up first
 * @param lastIndex the snapshot's when there are no entries
 * @param commitIndex what this voter knows to be committed; at least the snapshot's
 * @param leaseUntilNanos on the clock of the readings; in the past when no lease runs
 */
public record VoterView(
        long regionId,
        long term,
        Owner owner,
        long pendingTerm,
        boolean released,
        VoterConfig config,
        boolean learner,
        Snapshot snapshot,
        long lastIndex,
        long lastTerm,
        long commitIndex,
        long leaseUntilNanos) {}
