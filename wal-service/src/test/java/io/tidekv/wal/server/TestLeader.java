package io.tidekv.wal.server;

import com.google.protobuf.ByteString;
import io.tidekv.common.Randomness;
import io.tidekv.common.time.ThreadScheduler;
import io.tidekv.proto.region.Bootstrap;
import io.tidekv.proto.region.Entry;
import io.tidekv.proto.region.EntryKind;
import io.tidekv.proto.region.Origin;
import io.tidekv.proto.region.Owner;
import io.tidekv.proto.region.VoterConfig;
import io.tidekv.proto.wal.AppendRequest;
import io.tidekv.proto.wal.CreateRequest;
import io.tidekv.proto.wal.OpenRequest;
import io.tidekv.proto.wal.ReadRequest;
import io.tidekv.proto.wal.ReleaseRequest;
import io.tidekv.proto.wal.RenewRequest;
import io.tidekv.proto.wal.WalRequest;
import io.tidekv.proto.wal.WalResponse;
import io.tidekv.wal.client.GrpcWalLinks;
import io.tidekv.wal.client.WalLink;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/** A leader made by hand: one link to one node, one call at a time unless told otherwise. */
final class TestLeader implements WalLink.Listener, AutoCloseable {
    static final long LEASE_MS = 2000;

    final AtomicInteger connections = new AtomicInteger();
    final AtomicInteger disconnections = new AtomicInteger();
    private final Owner owner;
    private final ThreadScheduler scheduler = new ThreadScheduler("test-links");
    private final Map<Long, CompletableFuture<WalResponse>> waiting = new ConcurrentHashMap<>();
    private final AtomicLong seq = new AtomicLong();
    private final WalLink link;
    private volatile boolean connected;

    TestLeader(long clusterId, long storeId, long incarnation, long walId, String address) {
        owner = Owner.newBuilder().setStoreId(storeId).setIncarnation(incarnation).build();
        link =
                new GrpcWalLinks(clusterId, owner, scheduler, Randomness.seeded(1))
                        .connect(walId, address, this);
    }

    boolean isConnected() {
        return connected;
    }

    @Override
    public void onConnected(long walId) {
        connections.incrementAndGet();
        connected = true;
    }

    @Override
    public void onDisconnected(long walId, String reason) {
        connected = false;
        disconnections.incrementAndGet();
        waiting.values().forEach(one -> one.completeExceptionally(new RuntimeException(reason)));
        waiting.clear();
    }

    @Override
    public void onResponses(long walId, List<WalResponse> responses) {
        for (WalResponse response : responses) {
            waiting.remove(response.getSeq()).complete(response);
        }
    }

    CompletableFuture<WalResponse> send(WalRequest.Builder request) {
        long mine = seq.incrementAndGet();
        CompletableFuture<WalResponse> answer = new CompletableFuture<>();
        waiting.put(mine, answer);
        if (!link.send(List.of(request.setSeq(mine).build()))) {
            waiting.remove(mine);
            answer.completeExceptionally(new RuntimeException("not sent"));
        }
        return answer;
    }

    private static WalResponse get(CompletableFuture<WalResponse> answer) throws Exception {
        return answer.get(30, TimeUnit.SECONDS);
    }

    private static WalRequest.Builder at(long region) {
        return WalRequest.newBuilder().setRegionId(region);
    }

    WalResponse create(long region) throws Exception {
        VoterConfig config = VoterConfig.newBuilder().setGeneration(1).addWalIds(1).build();
        Origin origin = Origin.newBuilder().setBootstrap(Bootstrap.getDefaultInstance()).build();
        CreateRequest create =
                CreateRequest.newBuilder().setConfig(config).setOrigin(origin).build();
        return get(send(at(region).setCreate(create)));
    }

    WalResponse open(long region, long term) throws Exception {
        OpenRequest open =
                OpenRequest.newBuilder().setTerm(term).setOwner(owner).setLeaseMs(LEASE_MS).build();
        return get(send(at(region).setOpen(open)));
    }

    CompletableFuture<WalResponse> appendLater(
            long region, long term, long prev, long commit, int bytes) {
        Entry entry =
                Entry.newBuilder()
                        .setIndex(prev + 1)
                        .setTerm(term)
                        .setKind(EntryKind.WRITE)
                        .setData(ByteString.copyFrom(new byte[bytes]))
                        .build();
        AppendRequest append =
                AppendRequest.newBuilder()
                        .setTerm(term)
                        .setOwner(owner)
                        .setPrevIndex(prev)
                        .setPrevTerm(prev == 0 ? 0 : term)
                        .addEntries(entry)
                        .setCommitIndex(commit)
                        .setLeaseMs(LEASE_MS)
                        .build();
        return send(at(region).setAppend(append));
    }

    WalResponse append(long region, long term, long prev, long commit) throws Exception {
        return get(appendLater(region, term, prev, commit, 100));
    }

    WalResponse read(long region, long from) throws Exception {
        ReadRequest read = ReadRequest.newBuilder().setFromIndex(from).setBytesMax(1 << 20).build();
        return get(send(at(region).setRead(read)));
    }

    WalResponse renew(long session) throws Exception {
        RenewRequest renew =
                RenewRequest.newBuilder()
                        .setOwner(owner)
                        .setSession(session)
                        .setLeaseMs(LEASE_MS)
                        .build();
        return get(send(at(0).setRenew(renew)));
    }

    WalResponse release(long region, long term) throws Exception {
        ReleaseRequest release = ReleaseRequest.newBuilder().setTerm(term).setOwner(owner).build();
        return get(send(at(region).setRelease(release)));
    }

    @Override
    public void close() {
        link.close();
        scheduler.close();
    }
}
