package io.tidekv.compute.grpc;

import com.google.protobuf.Message;
import io.tidekv.proto.tikvpb.BatchCommandsRequest.Request;
import io.tidekv.proto.tikvpb.BatchCommandsResponse.Response;
import java.util.function.BiConsumer;
import java.util.function.Function;

/** How a command travels inside BatchCommands. */
record BatchKind<Q extends Message, A extends Message>(
        KvCommand<Q, A> command,
        Function<Request, Q> unwrap,
        BiConsumer<Response.Builder, A> wrap) {}
