package io.tidekv.compute.grpc;

import com.google.protobuf.Message;
import io.grpc.MethodDescriptor;
import io.tidekv.proto.kvrpcpb.Context;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;

/**
 * One request type of tikvpb and who answers it; shared by unary calls and BatchCommands.
 *
 * @param label TiKV's name of the command in metrics
 * @param empty an answer without content
 */
record KvCommand<Q extends Message, A extends Message>(
        String label,
        MethodDescriptor<Q, A> method,
        A empty,
        Function<Q, Context> context,
        Function<Q, CompletableFuture<A>> handler) {}
