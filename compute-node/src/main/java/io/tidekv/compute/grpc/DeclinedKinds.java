package io.tidekv.compute.grpc;

import io.tidekv.compute.txn.KeyErrors;
import io.tidekv.proto.kvrpcpb.GCResponse;
import io.tidekv.proto.kvrpcpb.ImportResponse;
import io.tidekv.proto.tikvpb.BatchCommandsRequest.Request.CmdCase;
import io.tidekv.proto.tikvpb.BatchCommandsResponse.Response;

/**
 * Answers to kinds of requests that are not served inside BatchCommands: an error of the kind's own
 * type, for a client must not take the answer for a success. A kind that is not known gets an
 * answer of no kind, which clients refuse.
 */
final class DeclinedKinds {
    private static final String WHY = "this store does not serve such requests";

    private DeclinedKinds() {}

    static Response answer(CmdCase kind) {
        Response.Builder response = Response.newBuilder();
        switch (kind) {
            case COPROCESSOR ->
                    response.setCoprocessor(
                            io.tidekv.proto.coprocessor.Response.newBuilder().setOtherError(WHY));
            case IMPORT -> response.setImport(ImportResponse.newBuilder().setError(WHY));
            case GC -> response.setGC(GCResponse.newBuilder().setError(KeyErrors.abort(WHY)));
            default -> {}
        }
        return response.build();
    }
}
