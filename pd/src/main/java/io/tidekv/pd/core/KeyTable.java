package io.tidekv.pd.core;

import com.google.protobuf.ByteString;
import io.tidekv.proto.etcdserverpb.Compare;
import io.tidekv.proto.etcdserverpb.DeleteRangeRequest;
import io.tidekv.proto.etcdserverpb.DeleteRangeResponse;
import io.tidekv.proto.etcdserverpb.PutRequest;
import io.tidekv.proto.etcdserverpb.PutResponse;
import io.tidekv.proto.etcdserverpb.RangeRequest;
import io.tidekv.proto.etcdserverpb.RangeResponse;
import io.tidekv.proto.etcdserverpb.RequestOp;
import io.tidekv.proto.etcdserverpb.ResponseHeader;
import io.tidekv.proto.etcdserverpb.ResponseOp;
import io.tidekv.proto.etcdserverpb.TxnRequest;
import io.tidekv.proto.etcdserverpb.TxnResponse;
import io.tidekv.proto.mvccpb.KeyValue;
import io.tidekv.proto.pdstate.FailureKind;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.NavigableMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * A small key space with the rules of etcd v3, without history: the revision of a change is that of
 * the command that made it. For settings and elections of clients, not for data.
 */
public final class KeyTable {
    private static final int KEY_BYTES_MAX = 4 << 10;
    private static final int VALUE_BYTES_MAX = 1 << 20;
    private static final long ALL_BYTES_MAX = 64L << 20;

    private final TreeMap<ByteString, KeyValue> byKey = new TreeMap<>(Keys.ORDER);
    private long bytes;

    KeyTable(List<KeyValue> saved) {
        saved.forEach(this::store);
    }

    /** In order of keys. */
    public Collection<KeyValue> all() {
        return Collections.unmodifiableCollection(byKey.values());
    }

    /** Reads; the answer has no header yet. */
    public RangeResponse range(RangeRequest request) {
        List<KeyValue> found = new ArrayList<>();
        for (KeyValue kv : within(request.getKey(), request.getRangeEnd()).values()) {
            if (wanted(kv, request)) {
                found.add(kv);
            }
        }
        Comparator<KeyValue> order = order(request);
        if (order != null) {
            found.sort(order);
        }
        RangeResponse.Builder response = RangeResponse.newBuilder().setCount(found.size());
        if (request.getCountOnly()) {
            return response.build();
        }
        long limit = request.getLimit() <= 0 ? found.size() : request.getLimit();
        response.setMore(found.size() > limit);
        found.stream()
                .limit(limit)
                .map(kv -> request.getKeysOnly() ? kv.toBuilder().clearValue().build() : kv)
                .forEach(response::addKvs);
        return response.build();
    }

    private static boolean wanted(KeyValue kv, RangeRequest request) {
        return above(kv.getModRevision(), request.getMinModRevision())
                && above(kv.getCreateRevision(), request.getMinCreateRevision())
                && below(kv.getModRevision(), request.getMaxModRevision())
                && below(kv.getCreateRevision(), request.getMaxCreateRevision());
    }

    private static boolean above(long revision, long min) {
        return min == 0 || revision >= min;
    }

    private static boolean below(long revision, long max) {
        return max == 0 || revision <= max;
    }

    private static @Nullable Comparator<KeyValue> order(RangeRequest request) {
        Comparator<KeyValue> order =
                switch (request.getSortTarget()) {
                    case VERSION -> Comparator.comparingLong(KeyValue::getVersion);
                    case CREATE -> Comparator.comparingLong(KeyValue::getCreateRevision);
                    case MOD -> Comparator.comparingLong(KeyValue::getModRevision);
                    case VALUE -> Comparator.comparing(KeyValue::getValue, Keys.ORDER);
                    default -> Comparator.comparing(KeyValue::getKey, Keys.ORDER);
                };
        return switch (request.getSortOrder()) {
            case ASCEND -> order;
            case DESCEND -> order.reversed();
            default -> request.getSortTarget() == RangeRequest.SortTarget.KEY ? null : order;
        };
    }

    /** Compares, then does one branch; nothing is changed when it is refused. */
    TxnResponse txn(TxnRequest request, long revision) {
        boolean succeeded = request.getCompareList().stream().allMatch(this::holds);
        List<RequestOp> branch = succeeded ? request.getSuccessList() : request.getFailureList();
        branch.forEach(this::check);
        TxnResponse.Builder response =
                TxnResponse.newBuilder()
                        .setHeader(ResponseHeader.newBuilder().setRevision(revision))
                        .setSucceeded(succeeded);
        branch.forEach(op -> response.addResponses(perform(op, revision)));
        return response.build();
    }

    private void check(RequestOp op) {
        PutRequest put = op.getRequestPut();
        if (op.getRequestCase() == RequestOp.RequestCase.REQUEST_TXN
                || op.getRequestCase() == RequestOp.RequestCase.REQUEST_NOT_SET
                || put.getLease() != 0) {
            throw new CommandRefused(
                    FailureKind.INVALID, "transactions inside others and leases are not served");
        }
        if (op.hasRequestPut() && put.getKey().isEmpty()) {
            throw new CommandRefused(FailureKind.INVALID, "etcdserver: key is not provided");
        }
        long more = put.getKey().size() + (long) put.getValue().size();
        if (put.getKey().size() > KEY_BYTES_MAX
                || put.getValue().size() > VALUE_BYTES_MAX
                || bytes + more > ALL_BYTES_MAX) {
            throw new CommandRefused(
                    FailureKind.INVALID, "etcdserver: mvcc: database space exceeded");
        }
    }

    private boolean holds(Compare compare) {
        if (compare.getRangeEnd().isEmpty()) {
            return holds(compare, byKey.get(compare.getKey()));
        }
        return within(compare.getKey(), compare.getRangeEnd()).values().stream()
                .allMatch(kv -> holds(compare, kv));
    }

    private static boolean holds(Compare compare, @Nullable KeyValue found) {
        if (found == null && compare.getTarget() == Compare.CompareTarget.VALUE) {
            return false;
        }
        KeyValue kv = found == null ? KeyValue.getDefaultInstance() : found;
        int is =
                switch (compare.getTarget()) {
                    case VERSION -> Long.compare(kv.getVersion(), compare.getVersion());
                    case CREATE ->
                            Long.compare(kv.getCreateRevision(), compare.getCreateRevision());
                    case MOD -> Long.compare(kv.getModRevision(), compare.getModRevision());
                    case LEASE -> Long.compare(kv.getLease(), compare.getLease());
                    default -> Keys.ORDER.compare(kv.getValue(), compare.getValue());
                };
        return switch (compare.getResult()) {
            case EQUAL -> is == 0;
            case GREATER -> is > 0;
            case LESS -> is < 0;
            default -> is != 0;
        };
    }

    private ResponseOp perform(RequestOp op, long revision) {
        ResponseOp.Builder response = ResponseOp.newBuilder();
        return switch (op.getRequestCase()) {
            case REQUEST_RANGE -> response.setResponseRange(range(op.getRequestRange())).build();
            case REQUEST_PUT -> response.setResponsePut(put(op.getRequestPut(), revision)).build();
            default -> response.setResponseDeleteRange(delete(op.getRequestDeleteRange())).build();
        };
    }

    private PutResponse put(PutRequest request, long revision) {
        KeyValue old = byKey.get(request.getKey());
        KeyValue.Builder kv =
                KeyValue.newBuilder()
                        .setKey(request.getKey())
                        .setValue(request.getValue())
                        .setCreateRevision(old == null ? revision : old.getCreateRevision())
                        .setModRevision(revision)
                        .setVersion(old == null ? 1 : old.getVersion() + 1);
        if (old != null && request.getIgnoreValue()) {
            kv.setValue(old.getValue());
        }
        store(kv.build());
        PutResponse.Builder response = PutResponse.newBuilder();
        if (old != null && request.getPrevKv()) {
            response.setPrevKv(old);
        }
        return response.build();
    }

    private DeleteRangeResponse delete(DeleteRangeRequest request) {
        List<KeyValue> gone = List.copyOf(within(request.getKey(), request.getRangeEnd()).values());
        for (KeyValue kv : gone) {
            byKey.remove(kv.getKey());
            bytes -= size(kv);
        }
        DeleteRangeResponse.Builder response =
                DeleteRangeResponse.newBuilder().setDeleted(gone.size());
        if (request.getPrevKv()) {
            response.addAllPrevKvs(gone);
        }
        return response.build();
    }

    private void store(KeyValue kv) {
        KeyValue old = byKey.put(kv.getKey(), kv);
        bytes += size(kv) - (old == null ? 0 : size(old));
    }

    private static long size(KeyValue kv) {
        return kv.getKey().size() + (long) kv.getValue().size();
    }

    /** In etcd an empty end means one key, and an end of one zero byte no bound. */
    private NavigableMap<ByteString, KeyValue> within(ByteString key, ByteString end) {
        if (end.isEmpty()) {
            return byKey.subMap(key, true, key, true);
        } else if (end.size() == 1 && end.byteAt(0) == 0) {
            return byKey.tailMap(key, true);
        }
        return Keys.before(key, end) ? byKey.subMap(key, true, end, false) : new TreeMap<>();
    }
}
