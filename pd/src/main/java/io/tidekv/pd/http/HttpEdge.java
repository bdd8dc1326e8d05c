package io.tidekv.pd.http;

import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelDuplexHandler;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPromise;
import io.netty.handler.codec.http.DefaultFullHttpResponse;
import io.netty.handler.codec.http.FullHttpRequest;
import io.netty.handler.codec.http.FullHttpResponse;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaderValues;
import io.netty.handler.codec.http.HttpObject;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpUtil;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.timeout.IdleStateEvent;
import io.netty.util.ReferenceCountUtil;
import io.tidekv.common.http.HttpAnswer;
import java.util.concurrent.CompletableFuture;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** One HTTP connection: answers requests in order and closes when the peer is idle. */
public final class HttpEdge extends ChannelDuplexHandler {
    /** Longest request body. */
    public static final int BODY_BYTES_MAX = 1 << 20;

    private static final Logger log = LoggerFactory.getLogger(HttpEdge.class);

    private final Router router;
    // Answers that wait for a change, or behind one; only the event loop counts them.
    private CompletableFuture<Void> last = CompletableFuture.completedFuture(null);
    private int waiting;

    public HttpEdge(Router router) {
        this.router = router;
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
        if (!(message instanceof FullHttpRequest request)) {
            ReferenceCountUtil.release(message);
            return;
        }
        boolean keepAlive = HttpUtil.isKeepAlive(request);
        String method = request.method().name();
        boolean failed = request.decoderResult().isFailure();
        CompletableFuture<HttpAnswer> answer =
                failed
                        ? CompletableFuture.completedFuture(
                                HttpAnswer.text(400, "this is no HTTP request\n"))
                        : router.answer(
                                method, request.uri(), ByteBufUtil.getBytes(request.content()));
        ReferenceCountUtil.release(message);
        boolean stays = keepAlive && !failed;
        if (waiting == 0 && answer.isDone()) {
            send(context, answer.join(), stays, method);
            return;
        }
        waiting++;
        last =
                last.thenCombine(answer, (sent, now) -> now)
                        .thenAcceptAsync(
                                now -> {
                                    waiting--;
                                    send(context, now, stays, method);
                                },
                                context.executor());
    }

    private static void send(
            ChannelHandlerContext context, HttpAnswer answer, boolean keepAlive, String method) {
        byte[] body = method.equals("HEAD") ? new byte[0] : answer.body();
        FullHttpResponse response =
                new DefaultFullHttpResponse(
                        HttpVersion.HTTP_1_1,
                        HttpResponseStatus.valueOf(answer.status()),
                        Unpooled.wrappedBuffer(body));
        response.headers()
                .set(HttpHeaderNames.CONTENT_TYPE, answer.contentType())
                .setInt(HttpHeaderNames.CONTENT_LENGTH, body.length);
        if (keepAlive) {
            response.headers().set(HttpHeaderNames.CONNECTION, HttpHeaderValues.KEEP_ALIVE);
            context.writeAndFlush(response);
        } else {
            response.headers().set(HttpHeaderNames.CONNECTION, HttpHeaderValues.CLOSE);
            context.writeAndFlush(response).addListener(ChannelFutureListener.CLOSE);
        }
    }

    /** gRPC's server knows this connection too, and ends it with a message of its own. */
    @Override
    public void write(ChannelHandlerContext context, Object message, ChannelPromise promise) {
        if (message instanceof HttpObject) {
            context.write(message, promise);
        } else {
            ReferenceCountUtil.release(message);
            context.close(promise);
        }
    }

    @Override
    public void userEventTriggered(ChannelHandlerContext context, Object event) {
        if (event instanceof IdleStateEvent) {
            context.close();
        }
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
        log.debug("an HTTP connection failed", cause);
        context.close();
    }
}
