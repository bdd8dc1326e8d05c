package io.tidekv.compute.service;

import com.google.protobuf.ByteString;
import io.tidekv.common.error.KvError;
import io.tidekv.common.error.KvError.Route;
import io.tidekv.common.error.KvException;
import io.tidekv.compute.engine.KvSnapshot;
import io.tidekv.compute.engine.MemoryEngine;
import io.tidekv.compute.engine.WriteBatchBuilder;
import io.tidekv.compute.region.Access;
import io.tidekv.compute.region.RegionAccess;
import io.tidekv.proto.region.RegionShape;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;

/**
 * The in-memory twin of a store's regions: all of them share one engine, lead for ever and lose
 * everything with the process. Thread-safe.
 */
public final class MemoryRegions implements RegionAccess {
    private static final long FIRST_TERM = 1;

    private final long clusterId;
    private final long storeId;
    private final Executor applier;
    private final Executor reader;
    private final MemoryEngine engine = new MemoryEngine();
    private final Map<Long, MemoryRegion> regions = new TreeMap<>();
    private long nextId = 2;

    /** One region without bounds; batches are applied where they are written. */
    public MemoryRegions(long clusterId, long storeId) {
        this(clusterId, storeId, Runnable::run);
    }

    /**
     * @param applier runs the application of each batch and the completion of its future
     */
    public MemoryRegions(long clusterId, long storeId, Executor applier) {
        this(clusterId, storeId, applier, Runnable::run);
    }

    /**
     * @param applier runs the application of each batch and the completion of its future
     * @param reader gives out each view that is asked for, as regions do that have to be opened
     */
    public MemoryRegions(long clusterId, long storeId, Executor applier, Executor reader) {
        this.clusterId = clusterId;
        this.storeId = storeId;
        this.applier = applier;
        this.reader = reader;
        RegionShape first =
                RegionShape.newBuilder()
                        .setRegionId(nextId++)
                        .setPeerId(nextId++)
                        .setVersion(1)
                        .setConfVer(1)
                        .build();
        regions.put(first.getRegionId(), new MemoryRegion(first));
    }

    /** What is stored, over all regions. */
    public MemoryEngine engine() {
        return engine;
    }

    /** The region that holds a stored key. */
    public synchronized Region holding(byte[] key) {
        for (MemoryRegion region : regions.values()) {
            if (Target.of(region).bounds().contains(key)) {
                return region;
            }
        }
        throw new IllegalStateException("the regions leave a gap");
    }

    @Override
    public long storeId() {
        return storeId;
    }

    @Override
    public long clusterId() {
        return clusterId;
    }

    @Override
    public synchronized Region region(long regionId) {
        MemoryRegion region = regions.get(regionId);
        if (region == null) {
            throw new KvException(
                    new KvError.RegionNotFound(regionId, "region " + regionId + " is missing"));
        }
        return region;
    }

    @Override
    public synchronized List<Region> regions() {
        List<Region> all = new ArrayList<>(regions.values());
        all.sort(
                Comparator.comparing(
                        region -> region.shape().getStartKey(),
                        ByteString.unsignedLexicographicalComparator()));
        return all;
    }

    @Override
    public synchronized List<Route> siblings(Region region, long version) {
        RegionShape now = region.shape();
        MemoryRegion own = (MemoryRegion) region;
        ByteString from = own.starts.getOrDefault(version, now.getStartKey());
        List<Route> routes = new ArrayList<>();
        routes.add(new Route(now, storeId));
        for (Region other : regions()) {
            boolean isAfter = compare(other.shape().getStartKey(), from) >= 0;
            boolean isBefore = compare(other.shape().getStartKey(), now.getStartKey()) < 0;
            if (isAfter && isBefore) {
                routes.add(new Route(other.shape(), storeId));
            }
        }
        return routes;
    }

    private static int compare(ByteString left, ByteString right) {
        return Arrays.compareUnsigned(left.toByteArray(), right.toByteArray());
    }

    /** Splits as TiKV does: the last part keeps the id. */
    private synchronized List<RegionShape> split(MemoryRegion region, List<byte[]> keys) {
        RegionShape old = region.shape;
        long version = old.getVersion() + keys.size();
        List<RegionShape> parts = new ArrayList<>();
        ByteString start = old.getStartKey();
        for (byte[] key : keys) {
            ByteString end = ByteString.copyFrom(key);
            RegionShape part =
                    old.toBuilder()
                            .setRegionId(nextId++)
                            .setPeerId(nextId++)
                            .setStartKey(start)
                            .setEndKey(end)
                            .setVersion(version)
                            .build();
            parts.add(part);
            regions.put(part.getRegionId(), new MemoryRegion(part));
            start = end;
        }
        region.starts.put(old.getVersion(), old.getStartKey());
        region.shape = old.toBuilder().setStartKey(start).setVersion(version).build();
        parts.add(region.shape);
        return parts;
    }

    private final class MemoryRegion implements Region {
        private final Map<Long, ByteString> starts = new TreeMap<>();
        private volatile RegionShape shape;
        private volatile long flashbackStartTs;

        MemoryRegion(RegionShape shape) {
            this.shape = shape;
        }

        @Override
        public RegionShape shape() {
            return shape;
        }

        @Override
        public long term() {
            return FIRST_TERM;
        }

        @Override
        public CompletableFuture<KvSnapshot> read(long version) {
            return read(version, Access.ANY);
        }

        @Override
        public CompletableFuture<KvSnapshot> read(long version, Access access) {
            CompletableFuture<KvSnapshot> view = new CompletableFuture<>();
            reader.execute(() -> read(version, access, view));
            return view;
        }

        private void read(long version, Access access, CompletableFuture<KvSnapshot> view) {
            KvSnapshot snapshot;
            synchronized (MemoryRegions.this) {
                KvException refusal = refuse(version, access);
                if (refusal != null) {
                    view.completeExceptionally(refusal);
                    return;
                }
                byte[] start = shape.getStartKey().toByteArray();
                snapshot = engine.snapshot(start, shape.getEndKey().toByteArray());
            }
            view.complete(snapshot);
        }

        @Override
        public CompletableFuture<Void> write(long version, WriteBatchBuilder batch) {
            return write(version, batch, Access.ANY);
        }

        @Override
        public CompletableFuture<Void> write(long version, WriteBatchBuilder batch, Access access) {
            ByteString bytes = batch.build();
            CompletableFuture<Void> applied = new CompletableFuture<>();
            applier.execute(
                    () -> {
                        synchronized (MemoryRegions.this) {
                            KvException refusal = refuse(version, access);
                            if (refusal != null) {
                                applied.completeExceptionally(refusal);
                                return;
                            }
                            engine.apply(bytes);
                        }
                        applied.complete(null);
                    });
            return applied;
        }

        @Override
        public CompletableFuture<Void> flashback(long version, long startTs) {
            CompletableFuture<Void> applied = new CompletableFuture<>();
            applier.execute(
                    () -> {
                        if (version != shape.getVersion()) {
                            applied.completeExceptionally(moved(version));
                        } else {
                            synchronized (MemoryRegions.this) {
                                flashbackStartTs = startTs;
                            }
                            applied.complete(null);
                        }
                    });
            return applied;
        }

        private @Nullable KvException refuse(long version, Access access) {
            return version == shape.getVersion()
                    ? access.refuse(shape.getRegionId(), flashbackStartTs)
                    : moved(version);
        }

        @Override
        public CompletableFuture<List<RegionShape>> split(long version, List<byte[]> keys) {
            KvException refusal = refuse(version, Access.ANY);
            if (refusal != null) {
                return CompletableFuture.failedFuture(refusal);
            }
            return CompletableFuture.completedFuture(MemoryRegions.this.split(this, keys));
        }

        private KvException moved(long version) {
            return new KvException(
                    new KvError.EpochNotMatch(
                            siblings(this, version), "the region has split since"));
        }
    }
}
