package io.tidekv.pd.grpc;

import io.tidekv.pd.log.StateLog;
import io.tidekv.pd.routing.StoreInfos;
import io.tidekv.proto.pdpb.AllocIDRequest;
import io.tidekv.proto.pdpb.AllocIDResponse;
import io.tidekv.proto.pdpb.ErrorType;
import io.tidekv.proto.pdpb.GetAllStoresResponse;
import io.tidekv.proto.pdpb.GetStoreRequest;
import io.tidekv.proto.pdpb.GetStoreResponse;
import io.tidekv.proto.pdstate.AllocateIds;
import io.tidekv.proto.pdstate.Command;
import io.tidekv.proto.pdstate.StoreEntry;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/** Stores, and ids for whoever needs some. */
public final class StoreCalls {
    private final StateLog log;
    private final StoreInfos infos;
    private final Guard guard;

    public StoreCalls(StateLog log, StoreInfos infos) {
        this.log = log;
        this.infos = infos;
        this.guard = new Guard(log);
    }

    GetStoreResponse get(GetStoreRequest request) {
        long id = request.getStoreId();
        StoreEntry entry = log.read(s -> s.store(id));
        if (entry == null) {
            // Clients look for this text.
            String message = "invalid store ID " + Long.toUnsignedString(id) + ", not found";
            return GetStoreResponse.newBuilder()
                    .setHeader(guard.error(ErrorType.UNKNOWN, message))
                    .build();
        }
        return GetStoreResponse.newBuilder()
                .setHeader(guard.header())
                .setStore(infos.store(entry))
                .setStats(infos.stats(entry))
                .build();
    }

    GetAllStoresResponse all() {
        List<StoreEntry> entries = log.read(s -> List.copyOf(s.stores()));
        return GetAllStoresResponse.newBuilder()
                .setHeader(guard.header())
                .addAllStores(entries.stream().map(infos::store).toList())
                .build();
    }

    /** One id when the request does not say how many; the last of them is answered. */
    CompletableFuture<AllocIDResponse> allocate(AllocIDRequest request) {
        int count = request.getCount() == 0 ? 1 : request.getCount();
        return log.submit(
                        Command.newBuilder()
                                .setAllocateIds(AllocateIds.newBuilder().setCount(count))
                                .build())
                .thenApply(
                        Answers.accepted(
                                result ->
                                        AllocIDResponse.newBuilder()
                                                .setHeader(guard.header())
                                                .setId(result.getIds().getLast())
                                                .setCount(count == 1 ? 0 : count)
                                                .build()));
    }
}
