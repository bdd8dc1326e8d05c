package io.tidekv.pd.schedule;

import com.google.protobuf.ByteString;
import io.tidekv.pd.core.Keys;
import io.tidekv.proto.cluster.RegionState;
import io.tidekv.proto.cluster.SplitOrder;
import io.tidekv.proto.cluster.StoreCommand;
import io.tidekv.proto.pdstate.RegionEntry;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;

/**
 * Splits a region at keys, or where its store thinks best. Done when a region begins at each key.
 * The keys are looked up anew at each step, so that it matters neither in how many splits they are
 * reached nor who has split meanwhile.
 */
final class SplitOperator extends Operator {
    private static final long REPEAT_NANOS = 500_000_000L;

    private final TreeSet<ByteString> keys = new TreeSet<>(Keys.ORDER);
    private final long startVersion;
    private final Map<Long, Long> sentAtNanos = new LinkedHashMap<>();

    /** {@code keys} empty: the store chooses the middle. */
    SplitOperator(RegionEntry region, List<ByteString> keys, long deadlineNanos) {
        super(region.getShape().getRegionId(), "admin-split-region", deadlineNanos);
        this.keys.addAll(keys);
        this.startVersion = region.getShape().getVersion();
    }

    @Override
    Status step(ClusterView view, Sessions sessions, long nowNanos) {
        Map<RegionEntry, List<ByteString>> orders = new LinkedHashMap<>();
        if (keys.isEmpty()) {
            RegionEntry region = view.region(regionId);
            if (region == null) {
                return Status.CANCEL;
            }
            if (region.getShape().getVersion() > startVersion) {
                return Status.SUCCESS;
            }
            orders.put(region, List.of());
        }
        for (ByteString key : keys) {
            RegionEntry region = view.containing(key);
            if (region == null) {
                return Status.CANCEL;
            }
            if (!region.getShape().getStartKey().equals(key)) {
                orders.computeIfAbsent(region, r -> new ArrayList<>()).add(key);
            }
        }
        orders.forEach((region, at) -> order(region, at, sessions, nowNanos));
        return orders.isEmpty() ? Status.SUCCESS : Status.RUNNING;
    }

    private void order(RegionEntry region, List<ByteString> at, Sessions sessions, long nowNanos) {
        StoreSession session = sessions.ownerOf(region);
        long id = region.getShape().getRegionId();
        Long last = sentAtNanos.get(id);
        if (session == null
                || session.state(region) != RegionState.LEADING
                || (last != null && nowNanos - last < REPEAT_NANOS)) {
            return;
        }
        sentAtNanos.put(id, nowNanos);
        session.send(
                StoreCommand.newBuilder()
                        .setSplit(
                                SplitOrder.newBuilder()
                                        .setRegionId(id)
                                        .setVersion(region.getShape().getVersion())
                                        .addAllKeys(at))
                        .build());
    }

    @Override
    String waitsFor() {
        return "the split of region " + regionId + " has not been reported by its owner";
    }
}
