package io.tidekv.pd.grpc;

import com.google.protobuf.ByteString;
import io.grpc.Status;
import io.tidekv.pd.core.Keys;
import io.tidekv.pd.routing.Located;
import io.tidekv.pd.routing.Routing;
import io.tidekv.pd.schedule.Coordinator;
import io.tidekv.proto.region.RegionShape;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;

/** Splits that somebody has asked for. */
public final class Splits {
    /** What many keys have come to. */
    public record Outcome(int asked, int reached, List<Long> newRegions) {
        public long percentage() {
            return asked == 0 ? 0 : 100L * reached / asked;
        }
    }

    private final Coordinator coordinator;
    private final Routing routing;

    public Splits(Coordinator coordinator, Routing routing) {
        this.coordinator = coordinator;
        this.routing = routing;
    }

    /** Splits one region; the ids of the regions that lie in its range afterwards, in key order. */
    CompletableFuture<List<Long>> one(long regionId, List<ByteString> keys, Duration atMost) {
        Located region = routing.byId(regionId);
        if (region == null) {
            throw Status.NOT_FOUND
                    .withDescription("region " + regionId + " not found")
                    .asRuntimeException();
        }
        RegionShape shape = region.entry().getShape();
        for (ByteString key : keys) {
            if (key.equals(shape.getStartKey())
                    || !Keys.contains(shape.getStartKey(), shape.getEndKey(), key)) {
                throw Status.INVALID_ARGUMENT
                        .withDescription(
                                "a split key does not lie inside region "
                                        + regionId
                                        + ": keys are given as they are stored")
                        .asRuntimeException();
            }
        }
        return coordinator
                .split(regionId, keys, atMost)
                .thenApply(
                        gap ->
                                routing.scan(shape.getStartKey(), shape.getEndKey(), 0).stream()
                                        .map(Located::id)
                                        .toList());
    }

    /** Splits whatever regions the keys lie in. A region that cannot be split is left out. */
    public CompletableFuture<Outcome> many(List<ByteString> keys, Duration atMost) {
        TreeSet<ByteString> wanted = new TreeSet<>(Keys.ORDER);
        keys.stream().filter(k -> !k.isEmpty()).forEach(wanted::add);
        Map<Long, List<ByteString>> byRegion = new LinkedHashMap<>();
        List<ByteString> fresh = new ArrayList<>();
        for (ByteString key : wanted) {
            Located region = routing.byKey(key);
            if (region != null && !region.entry().getShape().getStartKey().equals(key)) {
                byRegion.computeIfAbsent(region.id(), id -> new ArrayList<>()).add(key);
                fresh.add(key);
            }
        }
        List<CompletableFuture<?>> under = new ArrayList<>();
        byRegion.forEach(
                (id, at) ->
                        under.add(coordinator.split(id, at, atMost).exceptionally(failed -> null)));
        return CompletableFuture.allOf(under.toArray(CompletableFuture[]::new))
                .thenApply(done -> outcome(wanted, fresh));
    }

    private Outcome outcome(Set<ByteString> wanted, List<ByteString> fresh) {
        int reached = 0;
        List<Long> regions = new ArrayList<>();
        for (ByteString key : wanted) {
            Located region = routing.startingAt(key);
            if (region != null) {
                reached++;
                if (fresh.contains(key)) {
                    regions.add(region.id());
                }
            }
        }
        return new Outcome(wanted.size(), reached, regions);
    }
}
