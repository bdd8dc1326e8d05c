package io.tidekv.pd.core;

import io.tidekv.proto.cluster.RegisterWalRequest;
import io.tidekv.proto.pdstate.FailureKind;
import io.tidekv.proto.pdstate.WalEntry;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** WAL nodes by id. A node is the UUID in its folder: an emptied folder is another node. */
final class WalTable {
    private final TreeMap<Long, WalEntry> byId = new TreeMap<>();
    private final TreeMap<String, Long> byUuid = new TreeMap<>();

    WalTable(List<WalEntry> entries) {
        entries.forEach(this::put);
    }

    WalEntry register(RegisterWalRequest request, Ids ids) {
        if (request.getUuid().isEmpty() || request.getAddress().isEmpty()) {
            throw new CommandRefused(
                    FailureKind.INVALID, "a WAL node must say its UUID and its address");
        }
        Long known = byUuid.get(request.getUuid());
        WalEntry entry =
                WalEntry.newBuilder()
                        .setWalId(known == null ? ids.take() : known)
                        .setUuid(request.getUuid())
                        .setAddress(request.getAddress())
                        .setZone(request.getZone())
                        .build();
        put(entry);
        return entry;
    }

    @Nullable WalEntry get(long id) {
        return byId.get(id);
    }

    Collection<WalEntry> all() {
        return Collections.unmodifiableCollection(byId.values());
    }

    private void put(WalEntry entry) {
        byId.put(entry.getWalId(), entry);
        byUuid.put(entry.getUuid(), entry.getWalId());
    }
}
