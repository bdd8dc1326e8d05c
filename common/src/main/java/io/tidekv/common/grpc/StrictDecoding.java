package io.tidekv.common.grpc;

import io.grpc.ForwardingServerCall;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerMethodDefinition;
import io.grpc.ServerServiceDefinition;
import io.grpc.ServiceDescriptor;
import io.grpc.Status;
import java.io.InputStream;

/**
 * Makes services answer bytes that are no message of the method's type with INTERNAL, as TiKV's
 * gRPC library does. Left alone, grpc-java answers UNKNOWN and logs a stack trace for each.
 */
public final class StrictDecoding {
    private static final String TEXT = "Failed to deserialize the request: it is no message of ";

    private StrictDecoding() {}

    /** The same service, of which each method tells undecodable requests. */
    public static ServerServiceDefinition of(ServerServiceDefinition service) {
        ServiceDescriptor old = service.getServiceDescriptor();
        ServiceDescriptor.Builder descriptor =
                ServiceDescriptor.newBuilder(old.getName())
                        .setSchemaDescriptor(old.getSchemaDescriptor());
        var methods = service.getMethods().stream().map(StrictDecoding::guard).toList();
        methods.forEach(method -> descriptor.addMethod(method.getMethodDescriptor()));
        ServerServiceDefinition.Builder guarded =
                ServerServiceDefinition.builder(descriptor.build());
        methods.forEach(guarded::addMethod);
        return guarded.build();
    }

    private static <Q, A> ServerMethodDefinition<Object, A> guard(
            ServerMethodDefinition<Q, A> method) {
        MethodDescriptor<Q, A> descriptor = method.getMethodDescriptor();
        Decoder<Q> decoder = new Decoder<>(descriptor.getRequestMarshaller());
        ServerCallHandler<Q, A> handler = method.getServerCallHandler();
        return ServerMethodDefinition.create(
                descriptor.toBuilder(decoder, descriptor.getResponseMarshaller()).build(),
                (call, headers) -> new Guard<>(call, handler, headers, descriptor));
    }

    /** Stands for a request that could not be decoded. */
    private enum Undecodable {
        INSTANCE
    }

    /** Decodes to a message, or to {@link Undecodable}. */
    private record Decoder<Q>(MethodDescriptor.Marshaller<Q> inner)
            implements MethodDescriptor.Marshaller<Object> {
        @Override
        public InputStream stream(Object value) {
            throw new UnsupportedOperationException("a server sends no requests");
        }

        @Override
        public Object parse(InputStream stream) {
            try {
                return inner.parse(stream);
            } catch (RuntimeException e) {
                // Whatever a decoder throws, the bytes were the client's.
                return Undecodable.INSTANCE;
            }
        }
    }

    /** Passes messages on until one could not be decoded, which ends the call. */
    private static final class Guard<Q, A> extends ServerCall.Listener<Object> {
        private final Typed<Q, A> call;
        private final ServerCall.Listener<Q> inner;
        private final String method;
        private boolean ended;

        Guard(
                ServerCall<Object, A> call,
                ServerCallHandler<Q, A> handler,
                Metadata headers,
                MethodDescriptor<Q, A> descriptor) {
            this.call = new Typed<>(call, descriptor);
            this.method = descriptor.getFullMethodName();
            inner = handler.startCall(this.call, headers);
        }

        @Override
        @SuppressWarnings("unchecked") // the marshaller gives Q or Undecodable
        public void onMessage(Object message) {
            if (ended) {
                return;
            }
            if (message == Undecodable.INSTANCE) {
                ended = true;
                call.end(Status.INTERNAL.withDescription(TEXT + method));
                inner.onCancel();
            } else {
                inner.onMessage((Q) message);
            }
        }

        @Override
        public void onHalfClose() {
            if (!ended) {
                inner.onHalfClose();
            }
        }

        @Override
        public void onCancel() {
            if (!ended) {
                inner.onCancel();
            }
        }

        @Override
        public void onComplete() {
            if (!ended) {
                inner.onComplete();
            }
        }

        @Override
        public void onReady() {
            if (!ended) {
                inner.onReady();
            }
        }
    }

    /** The call as the method's own handler knows it. */
    private static final class Typed<Q, A> extends ForwardingServerCall<Q, A> {
        private final ServerCall<Q, A> call;
        private final MethodDescriptor<Q, A> descriptor;
        private volatile boolean ended;

        @SuppressWarnings("unchecked") // no request passes through a call
        Typed(ServerCall<Object, A> call, MethodDescriptor<Q, A> descriptor) {
            this.call = (ServerCall<Q, A>) (ServerCall<?, A>) call;
            this.descriptor = descriptor;
        }

        /** Closes the call; what its handler says afterwards is lost, as after a cancellation. */
        void end(Status status) {
            ended = true;
            call.close(status, new Metadata());
        }

        @Override
        public void sendHeaders(Metadata headers) {
            if (!ended) {
                call.sendHeaders(headers);
            }
        }

        @Override
        public void sendMessage(A message) {
            if (!ended) {
                call.sendMessage(message);
            }
        }

        @Override
        public void close(Status status, Metadata trailers) {
            if (!ended) {
                call.close(status, trailers);
            }
        }

        @Override
        public boolean isCancelled() {
            return ended || call.isCancelled();
        }

        @Override
        protected ServerCall<Q, A> delegate() {
            return call;
        }

        @Override
        public MethodDescriptor<Q, A> getMethodDescriptor() {
            return descriptor;
        }
    }
}
