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
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Makes a service's requests share the bytes that they were read from: a field of type {@code
 * bytes} is a view, not a copy. Whoever keeps such a field keeps the whole message in memory, so
 * this is for requests that are done with soon.
 */
public final class AliasedRequests {
    /** Reads a message of a method's request type to its end. Thread-safe. */
    public interface Decoder {
        /**
         * The message.
         *
         * @throws IOException when the bytes are none
         */
        MessageLite decode(CodedInputStream in) throws IOException;
    }

    private AliasedRequests() {}

    /** The same service, decoding its requests so. */
    public static ServerServiceDefinition of(ServerServiceDefinition service) {
        return of(service, Map.of());
    }

    /**
     * The same service, decoding its requests so.
     *
     * @param decoders by full name of a method, in place of the generated parser
     */
    public static ServerServiceDefinition of(
            ServerServiceDefinition service, Map<String, Decoder> decoders) {
        ServiceDescriptor old = service.getServiceDescriptor();
        ServiceDescriptor.Builder descriptor =
                ServiceDescriptor.newBuilder(old.getName())
                        .setSchemaDescriptor(old.getSchemaDescriptor());
        var methods = service.getMethods().stream().map(m -> aliased(m, decoders)).toList();
        methods.forEach(method -> descriptor.addMethod(method.getMethodDescriptor()));
        ServerServiceDefinition.Builder aliased =
                ServerServiceDefinition.builder(descriptor.build());
        methods.forEach(aliased::addMethod);
        return aliased.build();
    }

    private static <Q, A> ServerMethodDefinition<Q, A> aliased(
            ServerMethodDefinition<Q, A> method, Map<String, Decoder> decoders) {
        MethodDescriptor<Q, A> old = method.getMethodDescriptor();
        Decoder decoder = decoders.get(old.getFullMethodName());
        return ServerMethodDefinition.create(
                old.toBuilder(
                                new Aliasing<>(old.getRequestMarshaller(), decoder),
                                old.getResponseMarshaller())
                        .build(),
                method.getServerCallHandler());
    }

    private record Aliasing<Q>(MethodDescriptor.Marshaller<Q> plain, @Nullable Decoder decoder)
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

        private MessageLite decode(InputStream stream, MessageLite prototype) {
            try {
                byte[] bytes = new byte[stream.available()];
                int read = stream.readNBytes(bytes, 0, bytes.length);
                CodedInputStream coded =
                        UnsafeByteOperations.unsafeWrap(bytes, 0, read).newCodedInput();
                coded.enableAliasing(true);
                MessageLite message =
                        decoder == null
                                ? prototype.getParserForType().parseFrom(coded)
                                : decoder.decode(coded);
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
