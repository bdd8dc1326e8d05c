package io.tidekv.compute.region;

import io.tidekv.proto.cluster.Follow;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The regions that a loop keeps warm for others. Belongs to the loop. */
final class Standbys {
    private final RegionEnv env;
    private final RegionLoop loop;
    private final Map<Long, Standby> byRegion = new LinkedHashMap<>();

    Standbys(RegionEnv env, RegionLoop loop) {
        this.env = env;
        this.loop = loop;
    }

    /** PD's order; repeated ones change nothing. */
    void follow(Follow order) {
        long id = order.getShape().getRegionId();
        if (!byRegion.containsKey(id)) {
            Standby standby = new Standby(env, loop, order);
            byRegion.put(id, standby);
            standby.tick();
        }
    }

    void unfollow(long regionId) {
        Standby standby = byRegion.remove(regionId);
        if (standby != null) {
            standby.end();
        }
    }

    /** The region is led here from now on: its tablet, if it is warm; the caller closes it. */
    @Nullable WarmTablet take(long regionId) {
        Standby standby = byRegion.remove(regionId);
        return standby == null ? null : standby.take();
    }

    void tick() {
        byRegion.values().forEach(Standby::tick);
    }

    void end() {
        List.copyOf(byRegion.keySet()).forEach(this::unfollow);
    }
}
