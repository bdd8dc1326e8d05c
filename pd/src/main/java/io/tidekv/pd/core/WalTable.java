package io.tidekv.pd.core;

import io.tidekv.proto.cluster.NodeMode;
import io.tidekv.proto.cluster.RegisterWalRequest;
import io.tidekv.proto.cluster.SetWalModeRequest;
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
        WalEntry before = known == null ? WalEntry.getDefaultInstance() : known(known);
        WalEntry entry =
                before.toBuilder()
                        .setWalId(known == null ? ids.take() : known)
                        .setUuid(request.getUuid())
                        .setAddress(request.getAddress())
                        .setZone(request.getZone())
                        .build();
        put(entry);
        return entry;
    }

    /**
     * Takes a node out of service, or into it.
     *
     * @param voters nodes that must stay in service
     */
    void setMode(SetWalModeRequest order, int voters) {
        long id = order.getWalId();
        long by = order.getReplacement();
        WalEntry entry = known(id);
        if (by != 0 && (by == id || known(by).getMode() == NodeMode.DRAINING)) {
            throw new CommandRefused(
                    FailureKind.INVALID, "WAL node %d cannot take the place of %d", by, id);
        }
        long left =
                byId.values().stream()
                        .filter(n -> n.getWalId() != id && n.getMode() == NodeMode.IN_SERVICE)
                        .count();
        if (order.getMode() == NodeMode.DRAINING && left < voters) {
            throw new CommandRefused(
                    FailureKind.MISMATCH,
                    "without WAL node %d there are %d in service, and each region needs %d: start"
                            + " another one first",
                    id,
                    left,
                    voters);
        }
        put(entry.toBuilder().setMode(order.getMode()).setReplacement(by).build());
    }

    private WalEntry known(long id) {
        WalEntry entry = byId.get(id);
        if (entry == null) {
            throw new CommandRefused(FailureKind.NOT_FOUND, "no WAL node %d", id);
        }
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
