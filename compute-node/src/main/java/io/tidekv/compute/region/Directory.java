package io.tidekv.compute.region;

import com.google.protobuf.ByteString;
import io.tidekv.common.error.KvError;
import io.tidekv.proto.cluster.RegionReport;
import io.tidekv.proto.cluster.RegionState;
import io.tidekv.proto.cluster.StandbyReport;
import io.tidekv.proto.region.RegionShape;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * The store's regions as others see them: who serves, and what PD is told of each. Written by the
 * loops, read by everybody. Thread-safe.
 */
final class Directory {
    private static final int SIBLINGS_MAX = 64;

    private final long storeId;
    private final Runnable changed;
    private final Map<Long, RegionHandle> serving = new ConcurrentHashMap<>();
    private final Map<Long, RegionReport> reports = new ConcurrentHashMap<>();
    private final Map<Long, StandbyReport> standbys = new ConcurrentHashMap<>();
    private final Map<Long, CompletableFuture<RegionShape>> awaited = new ConcurrentHashMap<>();

    /** {@code changed} is run after a change that PD should hear of at once. */
    Directory(long storeId, Runnable changed) {
        this.storeId = storeId;
        this.changed = changed;
    }

    /** The region serves from now on. */
    void serving(RegionHandle handle) {
        RegionShape shape = handle.shape();
        serving.put(shape.getRegionId(), handle);
        CompletableFuture<RegionShape> waiting = awaited.remove(shape.getRegionId());
        if (waiting != null) {
            waiting.complete(shape);
        }
    }

    /** The region will serve in a moment, and is found from now on. */
    void beginning(RegionHandle handle) {
        serving.put(handle.shape().getRegionId(), handle);
    }

    void stopped(RegionHandle handle) {
        serving.remove(handle.shape().getRegionId(), handle);
    }

    /**
     * Completes when the region serves here. The caller ends the wait, in either case, with {@link
     * #stopAwaiting}.
     */
    CompletableFuture<RegionShape> whenServing(long regionId) {
        CompletableFuture<RegionShape> future =
                awaited.computeIfAbsent(regionId, id -> new CompletableFuture<>());
        RegionHandle handle = serving.get(regionId);
        if (handle != null && handle.isServing()) {
            future.complete(handle.shape());
        }
        return future;
    }

    void stopAwaiting(long regionId) {
        awaited.remove(regionId);
    }

    /** What PD is told of a region; a change of state, term or shape is told at once. */
    void report(RegionReport report) {
        RegionReport before = reports.put(report.getShape().getRegionId(), report);
        if (before == null
                || before.getState() != report.getState()
                || before.getTerm() != report.getTerm()
                || !before.getShape().equals(report.getShape())) {
            changed.run();
        }
    }

    /** The region is no business of this store any more. */
    void forget(long regionId) {
        if (reports.remove(regionId) != null) {
            changed.run();
        }
    }

    /** What PD is told of a region that is kept warm here; a change of readiness at once. */
    void standby(StandbyReport report) {
        StandbyReport before = standbys.put(report.getRegionId(), report);
        if (before == null
                || before.getReady() != report.getReady()
                || before.getHydrated() != report.getHydrated()) {
            changed.run();
        }
    }

    void noStandby(long regionId) {
        if (standbys.remove(regionId) != null) {
            changed.run();
        }
    }

    Map<Long, StandbyReport> standbys() {
        return new TreeMap<>(standbys);
    }

    Map<Long, RegionReport> reports() {
        return new TreeMap<>(reports);
    }

    /** Regions in a state. */
    long count(RegionState state) {
        return reports.values().stream().filter(report -> report.getState() == state).count();
    }

    @Nullable RegionReport report(long regionId) {
        return reports.get(regionId);
    }

    /** The region if it takes requests, or null. */
    @Nullable RegionHandle present(long regionId) {
        return serving.get(regionId);
    }

    /** Throws NotLeader, RegionNotFound, or RegionUnavailable when it has failed here. */
    RegionHandle find(long regionId) {
        RegionHandle handle = serving.get(regionId);
        if (handle != null) {
            return handle;
        }
        RegionReport report = reports.get(regionId);
        if (report == null) {
            throw Failures.notFound(regionId);
        }
        throw report.getState() == RegionState.FAILED
                ? Failures.unavailable(regionId, report.getError())
                : Failures.notLeader(regionId);
    }

    /** Those that are led, in key order. */
    List<RegionHandle> all() {
        List<RegionHandle> handles = new ArrayList<>(serving.values());
        handles.removeIf(handle -> !handle.isServing());
        handles.sort(
                Comparator.comparing(
                        (RegionHandle handle) -> handle.shape().getStartKey(),
                        RegionRange.KEY_ORDER));
        return handles;
    }

    /**
     * The region and its left neighbours, as many as it has been split since {@code version}: the
     * region keeps the right end, so its children lie to its left. As TiKV does it
     * (collect_sibling_region).
     */
    List<KvError.Route> siblings(RegionAccess.Region region, long version) {
        RegionShape shape = region.shape();
        List<KvError.Route> routes = new ArrayList<>();
        routes.add(new KvError.Route(shape, storeId));
        long splits = Math.min(shape.getVersion() - version, SIBLINGS_MAX);
        if (splits <= 0 || shape.getStartKey().isEmpty()) {
            return routes;
        }
        TreeMap<ByteString, RegionShape> byEnd = new TreeMap<>(RegionRange.KEY_ORDER);
        for (RegionHandle handle : serving.values()) {
            byEnd.put(handle.shape().getEndKey(), handle.shape());
        }
        RegionShape left = byEnd.get(shape.getStartKey());
        while (left != null && routes.size() <= splits) {
            routes.add(new KvError.Route(left, storeId));
            left = left.getStartKey().isEmpty() ? null : byEnd.get(left.getStartKey());
        }
        return routes;
    }
}
