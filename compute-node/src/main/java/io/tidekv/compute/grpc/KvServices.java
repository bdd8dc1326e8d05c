package io.tidekv.compute.grpc;

import io.grpc.BindableService;
import io.tidekv.common.time.Clock;
import io.tidekv.common.time.Scheduler;
import io.tidekv.compute.pd.TimestampSource;
import io.tidekv.compute.region.RegionAccess;
import io.tidekv.compute.service.KvSettings;
import java.util.List;

/**
 * Everything that a store offers to TiKV's clients over one {@link RegionAccess}. Thread-safe.
 * Closing lets commands under way finish or fail and ends the pool; the regions stay open.
 */
public final class KvServices implements AutoCloseable {
    private KvServices() {}

    /**
     * The services of a store. Nothing runs before the first request; timers go to {@code
     * scheduler}.
     */
    public static KvServices create(
            RegionAccess regions,
            TimestampSource timestamps,
            KvSettings settings,
            Clock clock,
            Scheduler scheduler) {
        return new KvServices();
    }

    /** tikvpb.Tikv and grpc.health.v1.Health, for the store's gRPC server. */
    public List<BindableService> services() {
        return List.of();
    }

    @Override
    public void close() {}
}
