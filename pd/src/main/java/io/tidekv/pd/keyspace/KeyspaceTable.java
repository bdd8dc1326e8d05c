package io.tidekv.pd.keyspace;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import io.tidekv.common.InvariantViolation;
import io.tidekv.pd.core.PdState;
import io.tidekv.proto.etcdserverpb.Compare;
import io.tidekv.proto.etcdserverpb.PutRequest;
import io.tidekv.proto.etcdserverpb.RangeRequest;
import io.tidekv.proto.etcdserverpb.RequestOp;
import io.tidekv.proto.etcdserverpb.TxnRequest;
import io.tidekv.proto.keyspacepb.KeyspaceMeta;
import io.tidekv.proto.keyspacepb.KeyspaceState;
import io.tidekv.proto.mvccpb.KeyValue;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** Where keyspaces lie in the key space: by id, and the id by name. Stateless. */
final class KeyspaceTable {
    /** The keyspace that every cluster has; it is not stored. */
    static final String DEFAULT_NAME = "DEFAULT";

    /** Three bytes of a key name a keyspace; the last id is PD's own. */
    static final int ID_MAX = (1 << 24) - 2;

    private KeyspaceTable() {}

    /** A keyspace, and the revision of its newest change; 0 for the one that is not stored. */
    record Found(KeyspaceMeta meta, long revision) {}

    static @Nullable Found byId(PdState state, int id) {
        if (id == 0) {
            return new Found(first(state), 0);
        }
        KeyValue kv = get(state, metaKey(state, id));
        return kv == null ? null : new Found(parse(kv), kv.getModRevision());
    }

    static @Nullable Found byName(PdState state, String name) {
        if (name.equals(DEFAULT_NAME)) {
            return byId(state, 0);
        }
        KeyValue id = name.isEmpty() ? null : get(state, nameKey(state, name));
        return id == null ? null : byId(state, Integer.parseInt(id.getValue().toStringUtf8()));
    }

    /** From an id on, in order; {@code limit} 0: all. */
    static List<KeyspaceMeta> from(PdState state, int startId, int limit) {
        List<KeyspaceMeta> found = new ArrayList<>();
        if (startId == 0) {
            found.add(first(state));
        }
        RangeRequest range =
                RangeRequest.newBuilder()
                        .setKey(metaKey(state, Math.max(1, startId)))
                        .setRangeEnd(metaKey(state, 99_999_999))
                        .setLimit(limit)
                        .build();
        state.keys().range(range).getKvsList().forEach(kv -> found.add(parse(kv)));
        return limit > 0 && found.size() > limit ? found.subList(0, limit) : found;
    }

    /** An id above all others: keyspaces are never removed. */
    static int nextId(PdState state) {
        List<KeyspaceMeta> all = from(state, 0, 0);
        return all.get(all.size() - 1).getId() + 1;
    }

    /** Stores a keyspace unless its name or id has been taken. */
    static TxnRequest create(PdState state, KeyspaceMeta meta) {
        ByteString byId = metaKey(state, meta.getId());
        ByteString byName = nameKey(state, meta.getName());
        ByteString id = ByteString.copyFromUtf8(Integer.toString(meta.getId()));
        return TxnRequest.newBuilder()
                .addCompare(created(byId))
                .addCompare(created(byName))
                .addSuccess(put(byId, meta.toByteString()))
                .addSuccess(put(byName, id))
                .build();
    }

    /** Replaces a keyspace unless it has changed since it was found. */
    static TxnRequest replace(PdState state, Found found, KeyspaceMeta by) {
        ByteString key = metaKey(state, by.getId());
        return TxnRequest.newBuilder()
                .addCompare(
                        Compare.newBuilder()
                                .setKey(key)
                                .setTarget(Compare.CompareTarget.MOD)
                                .setResult(Compare.CompareResult.EQUAL)
                                .setModRevision(found.revision()))
                .addSuccess(put(key, by.toByteString()))
                .build();
    }

    private static KeyspaceMeta first(PdState state) {
        return KeyspaceMeta.newBuilder()
                .setId(0)
                .setName(DEFAULT_NAME)
                .setState(KeyspaceState.ENABLED)
                .setCreatedAt(state.createdAtMillis() / 1000)
                .setStateChangedAt(state.createdAtMillis() / 1000)
                .putConfig(Keyspaces.BOUND_TYPE, Keyspaces.BOUND_TYPE_ALL)
                .build();
    }

    private static @Nullable KeyValue get(PdState state, ByteString key) {
        List<KeyValue> found =
                state.keys().range(RangeRequest.newBuilder().setKey(key).build()).getKvsList();
        return found.isEmpty() ? null : found.get(0);
    }

    private static KeyspaceMeta parse(KeyValue kv) {
        try {
            return KeyspaceMeta.parseFrom(kv.getValue());
        } catch (InvalidProtocolBufferException e) {
            throw new InvariantViolation("a stored keyspace cannot be read: " + e.getMessage());
        }
    }

    private static Compare created(ByteString key) {
        return Compare.newBuilder()
                .setKey(key)
                .setTarget(Compare.CompareTarget.CREATE)
                .setResult(Compare.CompareResult.EQUAL)
                .setCreateRevision(0)
                .build();
    }

    private static RequestOp put(ByteString key, ByteString value) {
        return RequestOp.newBuilder()
                .setRequestPut(PutRequest.newBuilder().setKey(key).setValue(value))
                .build();
    }

    private static ByteString metaKey(PdState state, int id) {
        return key(state, String.format(Locale.ROOT, "meta/%08d", id));
    }

    private static ByteString nameKey(PdState state, String name) {
        return key(state, "id/" + name);
    }

    private static ByteString key(PdState state, String rest) {
        String cluster = Long.toUnsignedString(state.clusterId());
        return ByteString.copyFromUtf8("/pd/" + cluster + "/keyspaces/" + rest);
    }
}
