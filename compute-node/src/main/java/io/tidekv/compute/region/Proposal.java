package io.tidekv.compute.region;

import com.google.protobuf.ByteString;
import java.util.concurrent.CompletableFuture;

/**
 * A write on its way into the log.
 *
 * @param version of the region that its keys were checked against
 * @param access what the region must let in when the log takes the write
 * @param arrivedNanos when it was admitted
 * @param deadlineNanos when its fate is declared unknown
 */
record Proposal(
        long version,
        Access access,
        ByteString data,
        long arrivedNanos,
        long deadlineNanos,
        CompletableFuture<Void> result) {}
