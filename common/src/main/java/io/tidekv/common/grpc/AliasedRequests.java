package io.tidekv.common.grpc;

import com.google.protobuf.CodedInputStream;
import com.google.protobuf.MessageLite;
import com.google.protobuf.UnsafeByteOperations;
import io.grpc.KnownLength;
import io.grpc.MethodDescriptor;
import io.grpc.ServerMethodDefinition;
import io.grpc.ServerServiceDefinition;
import io.grpc.ServiceDescriptor;
import io.grpc.Status;
import java.io.IOException;
import java.io.InputStream;

/**
 * Makes a service's requests share the bytes that they were read from: a field of type {@code
 * bytes} is a view, not a copy. Whoever keeps such a field keeps the whole message in memory, so
 * this is for requests that are done with soon.
 */
public final class AliasedRequests {
    private AliasedRequests() {}

    /** The same service, decoding its requests so. */
    public static ServerServiceDefinition of(ServerServiceDefinition service) {
        ServiceDescriptor old = service.getServiceDescriptor();
        ServiceDescriptor.Builder descriptor =
                ServiceDescriptor.newBuilder(old.getName())
                        .setSchemaDescriptor(old.getSchemaDescriptor());
        var methods = service.getMethods().stream().map(AliasedRequests::aliased).toList();
        methods.forEach(method -> descriptor.addMethod(method.getMethodDescriptor()));
        ServerServiceDefinition.Builder aliased =
                ServerServiceDefinition.builder(descriptor.build());
        methods.forEach(aliased::addMethod);
        return aliased.build();
    }

    private static <Q, A> ServerMethodDefinition<Q, A> aliased(
            ServerMethodDefinition<Q, A> method) {
        MethodDescriptor<Q, A> old = method.getMethodDescriptor();
        return ServerMethodDefinition.create(
                old.toBuilder(
                                new Aliasing<>(old.getRequestMarshaller()),
                                old.getResponseMarshaller())
                        .build(),
                method.getServerCallHandler());
    }

    private record Aliasing<Q>(MethodDescriptor.Marshaller<Q> plain)
            implements MethodDescriptor.Marshaller<Q> {
        @Override
        public InputStream stream(Q value) {
            return plain.stream(value);
        }

        @Override
        public Q parse(InputStream stream) {
            if (stream instanceof KnownLength
                    && plain instanceof MethodDescriptor.PrototypeMarshaller<Q> known
                    && known.getMessagePrototype() instanceof MessageLite prototype) {
                return known.getMessageClass().cast(decode(stream, prototype));
            }
            return plain.parse(stream);
        }

        private static MessageLite decode(InputStream stream, MessageLite prototype) {
            try {
                byte[] bytes = new byte[stream.available()];
                int read = stream.readNBytes(bytes, 0, bytes.length);
                CodedInputStream coded =
                        UnsafeByteOperations.unsafeWrap(bytes, 0, read).newCodedInput();
                coded.enableAliasing(true);
                MessageLite message = prototype.getParserForType().parseFrom(coded);
                coded.checkLastTagWas(0);
                return message;
            } catch (IOException e) {
                throw Status.INTERNAL
                        .withDescription("Invalid protobuf byte sequence")
                        .withCause(e)
                        .asRuntimeException();
            }
        }
    }
}
