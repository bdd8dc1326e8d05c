package io.tidekv.pd.server;

import io.grpc.netty.GrpcHttp2ConnectionHandler;
import io.grpc.netty.InternalProtocolNegotiator.ProtocolNegotiator;
import io.grpc.netty.InternalProtocolNegotiators;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPipeline;
import io.netty.handler.codec.ByteToMessageDecoder;
import io.netty.handler.codec.http.HttpObjectAggregator;
import io.netty.handler.codec.http.HttpServerCodec;
import io.netty.handler.codec.http2.Http2CodecUtil;
import io.netty.handler.timeout.IdleStateEvent;
import io.netty.handler.timeout.IdleStateHandler;
import io.netty.util.AsciiString;
import io.tidekv.pd.http.HttpEdge;
import io.tidekv.pd.http.Router;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Looks at the first bytes of a connection: HTTP/2's preface means gRPC (pdpb, etcd and our own
 * alike), anything else HTTP/1.1. The only place that leans on how grpc-netty builds its pipeline:
 * its negotiation handler is last but one, and starts on an event that is kept for it here.
 */
final class OnePort implements ProtocolNegotiator {
    private static final int SILENT_SECONDS = 10;
    private static final int IDLE_SECONDS = 60;

    private final ProtocolNegotiator grpc = InternalProtocolNegotiators.serverPlaintext();
    private final Router router;

    OnePort(Router router) {
        this.router = router;
    }

    @Override
    public AsciiString scheme() {
        return grpc.scheme();
    }

    @Override
    public ChannelHandler newHandler(GrpcHttp2ConnectionHandler handler) {
        return new Sniffer(handler);
    }

    @Override
    public void close() {
        grpc.close();
    }

    private final class Sniffer extends ByteToMessageDecoder {
        private final GrpcHttp2ConnectionHandler handler;
        private @Nullable Object negotiation;

        Sniffer(GrpcHttp2ConnectionHandler handler) {
            this.handler = handler;
        }

        @Override
        public void handlerAdded(ChannelHandlerContext context) {
            context.pipeline()
                    .addBefore(
                            context.name(), "silent", new IdleStateHandler(SILENT_SECONDS, 0, 0));
        }

        @Override
        public void userEventTriggered(ChannelHandlerContext context, Object event)
                throws Exception {
            if (event instanceof IdleStateEvent) {
                context.close();
            } else if (negotiation == null) {
                negotiation = event;
            } else {
                super.userEventTriggered(context, event);
            }
        }

        @Override
        protected void decode(ChannelHandlerContext context, ByteBuf in, List<Object> out) {
            ByteBuf preface = Http2CodecUtil.connectionPrefaceBuf();
            try {
                int length = Math.min(in.readableBytes(), preface.readableBytes());
                boolean matches =
                        in.slice(in.readerIndex(), length).equals(preface.slice(0, length));
                if (!matches) {
                    toHttp(context);
                } else if (length == preface.readableBytes()) {
                    toGrpc(context);
                }
            } finally {
                preface.release();
            }
        }

        private void toGrpc(ChannelHandlerContext context) {
            ChannelPipeline pipeline = context.pipeline();
            pipeline.remove("silent");
            pipeline.addAfter(context.name(), null, grpc.newHandler(handler));
            if (negotiation != null) {
                context.fireUserEventTriggered(negotiation);
            }
            pipeline.remove(this);
        }

        private void toHttp(ChannelHandlerContext context) {
            ChannelPipeline pipeline = context.pipeline();
            pipeline.remove("silent");
            // What grpc-netty has put behind this handler would keep back all that is written.
            while (pipeline.last() != this) {
                pipeline.removeLast();
            }
            pipeline.addLast(
                    new IdleStateHandler(0, 0, IDLE_SECONDS),
                    new HttpServerCodec(),
                    new HttpObjectAggregator(HttpEdge.BODY_BYTES_MAX, true),
                    new HttpEdge(router));
            pipeline.remove(this);
        }
    }
}
