package io.tidekv.pd.grpc;

import com.google.protobuf.ByteString;
import io.tidekv.pd.core.PdState;
import io.tidekv.pd.log.StateLog;
import io.tidekv.proto.etcdserverpb.DeleteRangeRequest;
import io.tidekv.proto.etcdserverpb.PutRequest;
import io.tidekv.proto.etcdserverpb.RangeRequest;
import io.tidekv.proto.etcdserverpb.RangeResponse;
import io.tidekv.proto.etcdserverpb.RequestOp;
import io.tidekv.proto.etcdserverpb.TxnRequest;
import io.tidekv.proto.mvccpb.KeyValue;
import io.tidekv.proto.pdpb.Error;
import io.tidekv.proto.pdpb.ErrorType;
import io.tidekv.proto.pdpb.EventType;
import io.tidekv.proto.pdpb.GlobalConfigItem;
import io.tidekv.proto.pdpb.LoadGlobalConfigRequest;
import io.tidekv.proto.pdpb.LoadGlobalConfigResponse;
import io.tidekv.proto.pdpb.StoreGlobalConfigRequest;
import io.tidekv.proto.pdpb.StoreGlobalConfigResponse;
import io.tidekv.proto.pdstate.Command;
import java.util.concurrent.CompletableFuture;

/** Settings that clients keep in PD, each a key below the path that the caller names. */
final class GlobalConfigCalls {
    private static final String PATH_DEFAULT = "/global/config/";

    private final StateLog log;
    private final Guard guard;

    GlobalConfigCalls(StateLog log) {
        this.log = log;
        this.guard = new Guard(log);
    }

    CompletableFuture<StoreGlobalConfigResponse> store(StoreGlobalConfigRequest request) {
        guard.leading();
        TxnRequest.Builder changes = TxnRequest.newBuilder();
        for (GlobalConfigItem item : request.getChangesList()) {
            ByteString key = key(request.getConfigPath(), item.getName());
            ByteString value =
                    item.getPayload().isEmpty()
                            ? ByteString.copyFromUtf8(item.getValue())
                            : item.getPayload();
            RequestOp.Builder op = RequestOp.newBuilder();
            if (item.getKind() == EventType.DELETE) {
                op.setRequestDeleteRange(DeleteRangeRequest.newBuilder().setKey(key));
            } else {
                op.setRequestPut(PutRequest.newBuilder().setKey(key).setValue(value));
            }
            changes.addSuccess(op);
        }
        return log.submit(Command.newBuilder().setChangeKeys(changes).build())
                .thenApply(Answers.accepted(r -> StoreGlobalConfigResponse.getDefaultInstance()));
    }

    /** The named items, or all below the path under their whole keys. */
    LoadGlobalConfigResponse load(LoadGlobalConfigRequest request) {
        guard.leading();
        LoadGlobalConfigResponse.Builder response =
                LoadGlobalConfigResponse.newBuilder().setRevision(log.read(PdState::revision));
        for (String name : request.getNamesList()) {
            response.addItems(named(request.getConfigPath(), name));
        }
        if (request.getNamesCount() == 0) {
            ByteString from = key(request.getConfigPath(), "");
            ByteString to =
                    from.substring(0, from.size() - 1)
                            .concat(ByteString.copyFrom(new byte[] {(byte) ('/' + 1)}));
            for (KeyValue kv : range(from, to).getKvsList()) {
                response.addItems(
                        GlobalConfigItem.newBuilder()
                                .setName(kv.getKey().toStringUtf8())
                                .setPayload(kv.getValue()));
            }
        }
        return response.build();
    }

    private GlobalConfigItem named(String path, String name) {
        RangeResponse found = range(key(path, name), ByteString.EMPTY);
        GlobalConfigItem.Builder item = GlobalConfigItem.newBuilder().setName(name);
        if (found.getKvsCount() > 0) {
            return item.setPayload(found.getKvs(0).getValue()).build();
        }
        return item.setError(
                        Error.newBuilder()
                                .setType(ErrorType.GLOBAL_CONFIG_NOT_FOUND)
                                .setMessage("key " + name + " not found"))
                .build();
    }

    private RangeResponse range(ByteString from, ByteString to) {
        RangeRequest range = RangeRequest.newBuilder().setKey(from).setRangeEnd(to).build();
        return log.read(s -> s.keys().range(range));
    }

    private static ByteString key(String path, String name) {
        String folder = path.isEmpty() ? PATH_DEFAULT : path.endsWith("/") ? path : path + "/";
        return ByteString.copyFromUtf8(folder + name);
    }
}
