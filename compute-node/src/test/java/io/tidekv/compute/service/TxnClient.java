package io.tidekv.compute.service;

import com.google.protobuf.ByteString;
import io.tidekv.common.time.ManualClock;
import io.tidekv.common.time.ThreadScheduler;
import io.tidekv.compute.engine.ApiMode;
import io.tidekv.compute.mvcc.TxnKey;
import io.tidekv.compute.region.RegionAccess.Region;
import io.tidekv.proto.kvrpcpb.BatchGetRequest;
import io.tidekv.proto.kvrpcpb.BatchRollbackRequest;
import io.tidekv.proto.kvrpcpb.CheckTxnStatusRequest;
import io.tidekv.proto.kvrpcpb.CheckTxnStatusResponse;
import io.tidekv.proto.kvrpcpb.CommitRequest;
import io.tidekv.proto.kvrpcpb.CommitResponse;
import io.tidekv.proto.kvrpcpb.Context;
import io.tidekv.proto.kvrpcpb.GetRequest;
import io.tidekv.proto.kvrpcpb.GetResponse;
import io.tidekv.proto.kvrpcpb.KeyError;
import io.tidekv.proto.kvrpcpb.KvPair;
import io.tidekv.proto.kvrpcpb.LockInfo;
import io.tidekv.proto.kvrpcpb.Mutation;
import io.tidekv.proto.kvrpcpb.MvccGetByKeyRequest;
import io.tidekv.proto.kvrpcpb.MvccInfo;
import io.tidekv.proto.kvrpcpb.Op;
import io.tidekv.proto.kvrpcpb.PrewriteRequest;
import io.tidekv.proto.kvrpcpb.PrewriteResponse;
import io.tidekv.proto.kvrpcpb.ResolveLockRequest;
import io.tidekv.proto.kvrpcpb.ScanLockRequest;
import io.tidekv.proto.kvrpcpb.ScanRequest;
import io.tidekv.proto.kvrpcpb.TxnInfo;
import io.tidekv.proto.metapb.Peer;
import io.tidekv.proto.metapb.RegionEpoch;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicLong;

/** Speaks to the transactional commands of a store in memory, in few words. */
final class TxnClient implements AutoCloseable {
    final ManualClock clock = new ManualClock();
    final MemoryRegions regions;
    final ThreadScheduler scheduler = new ThreadScheduler("txn-test");
    final KvCore core;
    private final AtomicLong logical = new AtomicLong();

    TxnClient() {
        this(new MemoryRegions(7, 1), KvSettings.of(ApiMode.V1));
    }

    TxnClient(MemoryRegions regions, KvSettings settings) {
        this.regions = regions;
        core = new KvCore(regions, this::timestamp, settings, clock, scheduler);
    }

    /** As PD gives them; its time is that of the clock. */
    private CompletableFuture<Long> timestamp() {
        return CompletableFuture.completedFuture(
                (clock.wallMillis() << 18) + logical.incrementAndGet());
    }

    static ByteString key(String key) {
        return ByteString.copyFromUtf8(key);
    }

    static Mutation put(String key, String value) {
        return Mutation.newBuilder().setOp(Op.Put).setKey(key(key)).setValue(key(value)).build();
    }

    static Mutation of(Op op, String key) {
        return Mutation.newBuilder().setOp(op).setKey(key(key)).build();
    }

    static Mutation insert(String key, String value) {
        return put(key, value).toBuilder().setOp(Op.Insert).build();
    }

    Context context(String key) {
        Region region = regions.holding(TxnKey.of(key(key)).encoded());
        return context(region).build();
    }

    Context.Builder context(Region region) {
        return Context.newBuilder()
                .setRegionId(region.shape().getRegionId())
                .setRegionEpoch(
                        RegionEpoch.newBuilder()
                                .setConfVer(region.shape().getConfVer())
                                .setVersion(region.shape().getVersion()))
                .setPeer(
                        Peer.newBuilder()
                                .setId(region.shape().getPeerId())
                                .setStoreId(regions.storeId()));
    }

    PrewriteRequest.Builder prewriteOf(long startTs, Mutation... mutations) {
        return PrewriteRequest.newBuilder()
                .setContext(context(mutations[0].getKey().toStringUtf8()))
                .setStartVersion(startTs)
                .setPrimaryLock(mutations[0].getKey())
                .setLockTtl(3000)
                .addAllMutations(List.of(mutations));
    }

    PrewriteResponse prewrite(PrewriteRequest.Builder request) {
        return core.txn().prewrite(request.build()).join();
    }

    List<KeyError> prewrite(long startTs, Mutation... mutations) {
        return prewrite(prewriteOf(startTs, mutations)).getErrorsList();
    }

    CommitResponse commit(long startTs, long commitTs, String... keys) {
        return core.txn()
                .commit(
                        CommitRequest.newBuilder()
                                .setContext(context(keys[0]))
                                .setStartVersion(startTs)
                                .setCommitVersion(commitTs)
                                .addAllKeys(keys(keys))
                                .build())
                .join();
    }

    /** Prewrites and commits. */
    void write(long startTs, long commitTs, Mutation... mutations) {
        List<KeyError> errors = prewrite(startTs, mutations);
        String[] keys = new String[mutations.length];
        for (int i = 0; i < keys.length; i++) {
            keys[i] = mutations[i].getKey().toStringUtf8();
        }
        CommitResponse committed = commit(startTs, commitTs, keys);
        if (!errors.isEmpty() || committed.hasError()) {
            throw new AssertionError(errors + " " + committed);
        }
    }

    KeyError rollback(long startTs, String... keys) {
        return core.resolving()
                .batchRollback(
                        BatchRollbackRequest.newBuilder()
                                .setContext(context(keys[0]))
                                .setStartVersion(startTs)
                                .addAllKeys(keys(keys))
                                .build())
                .join()
                .getError();
    }

    GetResponse get(String key, long ts) {
        return get(
                GetRequest.newBuilder().setContext(context(key)).setKey(key(key)).setVersion(ts));
    }

    GetResponse get(GetRequest.Builder request) {
        return core.reads().get(request.build()).join();
    }

    List<KvPair> batchGet(long ts, String... keys) {
        return core.reads()
                .batchGet(
                        BatchGetRequest.newBuilder()
                                .setContext(context(keys[0]))
                                .setVersion(ts)
                                .addAllKeys(keys(keys))
                                .build())
                .join()
                .getPairsList();
    }

    ScanRequest.Builder scanOf(String start, String end, long ts) {
        return ScanRequest.newBuilder()
                .setContext(context(start))
                .setStartKey(key(start))
                .setEndKey(key(end))
                .setLimit(100)
                .setVersion(ts);
    }

    List<KvPair> scan(ScanRequest.Builder request) {
        return core.reads().scan(request.build()).join().getPairsList();
    }

    /** What a scan shows as {@code key=value}, locked keys as {@code !key}. */
    List<String> shown(List<KvPair> pairs) {
        List<String> out = new ArrayList<>();
        for (KvPair pair : pairs) {
            out.add(
                    pair.hasError()
                            ? "!" + pair.getError().getLocked().getKey().toStringUtf8()
                            : pair.getKey().toStringUtf8() + "=" + pair.getValue().toStringUtf8());
        }
        return out;
    }

    CheckTxnStatusRequest.Builder statusOf(String primary, long startTs) {
        return CheckTxnStatusRequest.newBuilder()
                .setContext(context(primary))
                .setPrimaryKey(key(primary))
                .setLockTs(startTs);
    }

    CheckTxnStatusResponse status(CheckTxnStatusRequest.Builder request) {
        return core.resolving().checkTxnStatus(request.build()).join();
    }

    KeyError resolve(long startTs, long commitTs, String... keys) {
        return core.resolving()
                .resolveLock(
                        ResolveLockRequest.newBuilder()
                                .setContext(context(keys.length == 0 ? "" : keys[0]))
                                .setStartVersion(startTs)
                                .setCommitVersion(commitTs)
                                .addAllKeys(keys(keys))
                                .build())
                .join()
                .getError();
    }

    KeyError resolve(Map<Long, Long> commitTs) {
        ResolveLockRequest.Builder request =
                ResolveLockRequest.newBuilder().setContext(context(""));
        commitTs.forEach(
                (start, commit) ->
                        request.addTxnInfos(TxnInfo.newBuilder().setTxn(start).setStatus(commit)));
        return core.resolving().resolveLock(request.build()).join().getError();
    }

    List<LockInfo> locks() {
        return locks(ScanLockRequest.newBuilder().setMaxVersion(-1L));
    }

    List<LockInfo> locks(ScanLockRequest.Builder request) {
        return core.resolving()
                .scanLock(request.setContext(context(request.getStartKey().toStringUtf8())).build())
                .join()
                .getLocksList();
    }

    MvccInfo inspect(String key) {
        return core.resolving()
                .mvccGetByKey(
                        MvccGetByKeyRequest.newBuilder()
                                .setContext(context(key))
                                .setKey(key(key))
                                .build())
                .join()
                .getInfo();
    }

    private static List<ByteString> keys(String... keys) {
        List<ByteString> all = new ArrayList<>();
        for (String key : keys) {
            all.add(key(key));
        }
        return all;
    }

    @Override
    public void close() {
        core.close();
        scheduler.close();
    }
}
