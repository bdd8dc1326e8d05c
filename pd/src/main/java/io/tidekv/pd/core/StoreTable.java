package io.tidekv.pd.core;

import io.tidekv.proto.cluster.RegisterStoreRequest;
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
        StoreEntry entry =
                StoreEntry.newBuilder()
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
