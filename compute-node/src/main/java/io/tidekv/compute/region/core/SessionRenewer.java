package io.tidekv.compute.region.core;

import io.tidekv.common.time.Clock;
import io.tidekv.proto.region.Owner;
import io.tidekv.proto.wal.WalResponse;
import org.jspecify.annotations.Nullable;

/**
 * Renews the sessions of this process: one Renew per WAL node, whatever the number of regions. One
 * per thread that runs leaders: leaders register sessions through {@link Sessions} and ask here
 * whether they were renewed, so a renewal costs nothing per region.
 */
@SuppressWarnings("DoNotCallSuggester")
public final class SessionRenewer implements Sessions {
    /** Told, within {@code onResponse}, of regions that a voter means to give to another owner. */
    public interface PendingListener {
        /** To be passed to {@link RegionLeader#onPending}. */
        void pending(long walId, long regionId, long pendingTerm);
    }

    public SessionRenewer(
            LeaderOptions options,
            LeaderRules rules,
            Owner owner,
            LeaderOutbox outbox,
            PendingListener listener) {
        throw new UnsupportedOperationException("under construction");
    }

    public void onConnected(long walId, Clock.Reading now) {
        throw new UnsupportedOperationException("under construction");
    }

    public void onDisconnected(long walId, Clock.Reading now) {
        throw new UnsupportedOperationException("under construction");
    }

    /** A response to a Renew: those have region id 0. Others and unknown ones are ignored. */
    public void onResponse(long walId, WalResponse response, Clock.Reading now) {
        throw new UnsupportedOperationException("under construction");
    }

    /** Sends what is due. To be called every 100 ms or so. */
    public void tick(Clock.Reading now) {
        throw new UnsupportedOperationException("under construction");
    }

    @Override
    public void joined(long walId, long session) {
        throw new UnsupportedOperationException("under construction");
    }

    @Override
    public boolean current(long walId, long session) {
        throw new UnsupportedOperationException("under construction");
    }

    @Override
    public Clock.@Nullable Reading renewedAt(long walId, long session) {
        throw new UnsupportedOperationException("under construction");
    }
}
