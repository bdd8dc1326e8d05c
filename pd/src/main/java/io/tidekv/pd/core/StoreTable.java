package io.tidekv.pd.core;

import io.tidekv.proto.cluster.NodeMode;
import io.tidekv.proto.cluster.RegisterStoreRequest;
import io.tidekv.proto.cluster.SetStoreModeRequest;
import io.tidekv.proto.pdstate.FailureKind;
import io.tidekv.proto.pdstate.StoreEntry;
import io.tidekv.proto.region.Owner;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** Stores by id; a store is its advertised address, and each process start a new incarnation. */
final class StoreTable {
    private final TreeMap<Long, StoreEntry> byId = new TreeMap<>();
    private final TreeMap<String, Long> byAddress = new TreeMap<>();

    StoreTable(List<StoreEntry> entries) {
        entries.forEach(this::put);
    }

    /** A process has started on an address. */
    StoreEntry register(RegisterStoreRequest request, Ids ids) {
        if (request.getAddress().isEmpty()) {
            throw new CommandRefused(
                    FailureKind.INVALID, "a store must say the address that clients reach");
        }
        Long known = byAddress.get(request.getAddress());
        StoreEntry before = known == null ? null : byId.get(known);
        StoreEntry entry =
                StoreEntry.newBuilder()
                        .setMode(before == null ? NodeMode.IN_SERVICE : before.getMode())
                        .setStoreId(known == null ? ids.take() : known)
                        .setIncarnation(ids.takeIncarnation())
                        .setAddress(request.getAddress())
                        .setStatusAddress(request.getStatusAddress())
                        .setVersion(request.getVersion())
                        .addAllLabels(request.getLabelsList())
                        .setGitHash(request.getGitHash())
                        .setStartTimestamp(request.getStartTimestamp())
                        .setDeployPath(request.getDeployPath())
                        .build();
        put(entry);
        return entry;
    }

    /** A store that drains still does so after a restart. */
    void setMode(SetStoreModeRequest order) {
        StoreEntry entry = byId.get(order.getStoreId());
        if (entry == null) {
            throw new CommandRefused(FailureKind.NOT_FOUND, "no store %d", order.getStoreId());
        }
        boolean others =
                byId.values().stream()
                        .anyMatch(
                                s ->
                                        s.getStoreId() != order.getStoreId()
                                                && s.getMode() == NodeMode.IN_SERVICE);
        if (order.getMode() == NodeMode.DRAINING && !others) {
            throw new CommandRefused(
                    FailureKind.MISMATCH,
                    "store %d is the only one in service: start another one first",
                    order.getStoreId());
        }
        put(entry.toBuilder().setMode(order.getMode()).build());
    }

    @Nullable StoreEntry get(long id) {
        return byId.get(id);
    }

    /** True when {@code owner} is the newest process of its store. */
    boolean isCurrent(Owner owner) {
        StoreEntry entry = byId.get(owner.getStoreId());
        return entry != null && entry.getIncarnation() == owner.getIncarnation();
    }

    Collection<StoreEntry> all() {
        return Collections.unmodifiableCollection(byId.values());
    }

    private void put(StoreEntry entry) {
        byId.put(entry.getStoreId(), entry);
        byAddress.put(entry.getAddress(), entry.getStoreId());
    }
}
