package io.tidekv.wal.core;

import com.google.protobuf.ByteString;
import io.tidekv.common.time.ManualClock;
import io.tidekv.proto.region.Bootstrap;
import io.tidekv.proto.region.Entry;
import io.tidekv.proto.region.EntryKind;
import io.tidekv.proto.region.Origin;
import io.tidekv.proto.region.Owner;
import io.tidekv.proto.region.Snapshot;
import io.tidekv.proto.region.VoterConfig;
import io.tidekv.proto.wal.AppendRequest;
import io.tidekv.proto.wal.CreateRequest;
import io.tidekv.proto.wal.OpenRequest;
import io.tidekv.proto.wal.ReadRequest;
import io.tidekv.proto.wal.ReleaseRequest;
import io.tidekv.proto.wal.RenewRequest;
import io.tidekv.proto.wal.WalError;
import io.tidekv.proto.wal.WalErrorCode;
import io.tidekv.proto.wal.WalRequest;
import io.tidekv.proto.wal.WalResponse;
import java.util.ArrayList;
import java.util.List;

/** A voter node over memory with a clock in the hand: what the voter's tests talk to. */
final class VoterBench {
    static final long REGION = 7;
    static final long LEASE_MS = 1000;
    static final Owner ANN = owner(1, 11);
    static final Owner BEN = owner(2, 22);
    static final Origin BOOTSTRAP =
            Origin.newBuilder().setBootstrap(Bootstrap.getDefaultInstance()).build();
    static final VoterConfig CONFIG =
            VoterConfig.newBuilder()
                    .setGeneration(1)
                    .addWalIds(1)
                    .addWalIds(2)
                    .addWalIds(3)
                    .build();

    final MemoryVoterStorage storage = new MemoryVoterStorage();
    final ManualClock clock = new ManualClock();
    private long starts;
    private VoterNode node = start();

    static Owner owner(long store, long incarnation) {
        return Owner.newBuilder().setStoreId(store).setIncarnation(incarnation).build();
    }

    private VoterNode start() {
        return new VoterNode(storage, VoterRules.RIGHT, 1000 * ++starts, clock.read());
    }

    VoterNode node() {
        return node;
    }

    /** Ends and starts the process; what was not synced is lost. */
    void restart() {
        storage.crash(0, false);
        node = start();
    }

    void sync() {
        storage.syncTo(storage.position());
    }

    VoterView view() {
        VoterView view = node.view(REGION);
        if (view == null) {
            throw new AssertionError("no region");
        }
        return view;
    }

    WalResponse ask(Owner sender, WalRequest.Builder request) {
        WalResponse response =
                node.handle(sender, request.setSeq(5).setRegionId(REGION).build(), clock.read());
        sync();
        return response;
    }

    VoterBench created() {
        ask(ANN, create(BOOTSTRAP));
        return this;
    }

    static WalRequest.Builder create(Origin origin) {
        return WalRequest.newBuilder()
                .setCreate(CreateRequest.newBuilder().setConfig(CONFIG).setOrigin(origin));
    }

    WalResponse open(Owner owner, long term) {
        return ask(
                owner,
                WalRequest.newBuilder()
                        .setOpen(
                                OpenRequest.newBuilder()
                                        .setTerm(term)
                                        .setOwner(owner)
                                        .setLeaseMs(LEASE_MS)));
    }

    /** Appends entries of the given terms after {@code prev}. */
    WalResponse append(Owner owner, long term, Entry prev, long commit, long... terms) {
        return append(owner, request(owner, term, prev, commit, terms));
    }

    WalResponse append(Owner owner, AppendRequest.Builder request) {
        return ask(owner, WalRequest.newBuilder().setAppend(request));
    }

    static AppendRequest.Builder request(
            Owner owner, long term, Entry prev, long commit, long... terms) {
        AppendRequest.Builder request =
                AppendRequest.newBuilder()
                        .setTerm(term)
                        .setOwner(owner)
                        .setPrevIndex(prev.getIndex())
                        .setPrevTerm(prev.getTerm())
                        .setCommitIndex(commit)
                        .setLeaseMs(LEASE_MS);
        long index = prev.getIndex();
        for (long entryTerm : terms) {
            request.addEntries(entry(++index, entryTerm));
        }
        return request;
    }

    static Entry at(long index, long term) {
        return Entry.newBuilder().setIndex(index).setTerm(term).build();
    }

    static Entry entry(long index, long term) {
        return Entry.newBuilder()
                .setIndex(index)
                .setTerm(term)
                .setKind(EntryKind.WRITE)
                .setData(ByteString.copyFromUtf8(index + "@" + term))
                .build();
    }

    static Snapshot snapshot(long index, long term) {
        return Snapshot.newBuilder().setIndex(index).setTerm(term).build();
    }

    WalResponse read(long from, long to, long term) {
        return ask(
                BEN,
                WalRequest.newBuilder()
                        .setRead(
                                ReadRequest.newBuilder()
                                        .setFromIndex(from)
                                        .setToIndex(to)
                                        .setBytesMax(1 << 20)
                                        .setTerm(term)));
    }

    WalResponse renew(Owner owner, long session) {
        return node.handle(
                owner,
                WalRequest.newBuilder()
                        .setSeq(6)
                        .setRenew(
                                RenewRequest.newBuilder()
                                        .setOwner(owner)
                                        .setSession(session)
                                        .setLeaseMs(LEASE_MS))
                        .build(),
                clock.read());
    }

    WalResponse release(Owner owner, long term) {
        return ask(
                owner,
                WalRequest.newBuilder()
                        .setRelease(ReleaseRequest.newBuilder().setTerm(term).setOwner(owner)));
    }

    /** The terms of the log from the first entry on, as the storage has them. */
    List<Long> terms() {
        List<Long> terms = new ArrayList<>();
        VoterView view = view();
        if (view.lastIndex() > view.snapshot().getIndex()) {
            storage.read(REGION, view.snapshot().getIndex() + 1, view.lastIndex(), 1 << 20)
                    .forEach(entry -> terms.add(entry.getTerm()));
        }
        return terms;
    }

    static WalErrorCode code(WalResponse response) {
        return response.hasError()
                ? response.getError().getCode()
                : WalError.getDefaultInstance().getCode();
    }
}
