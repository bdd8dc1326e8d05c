package io.tidekv.common.grpc;

import io.grpc.netty.NettyChannelBuilder;
import io.grpc.netty.NettyServerBuilder;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.util.concurrent.DefaultThreadFactory;
import io.netty.util.concurrent.EventExecutor;
import io.tidekv.common.Threads;
import io.tidekv.common.config.HostPort;
import java.util.concurrent.Executor;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Builders for servers and channels of this process. They share two event loop threads, but for
 * {@link #unwaitingServer}, and {@link #callbacks()} for their callbacks unless told otherwise.
 * Plaintext only.
 *
 * <p>A service whose callbacks never block and are short may set {@code directExecutor()}: it then
 * runs on the event loops and saves a hop. One blocking call there stops every connection of the
 * process.
 */
public final class GrpcTransports {
    /** Longest message: TiKV's clients send batches of this order. */
    public static final int MESSAGE_BYTES_MAX = 256 << 20;

    private static final int EVENT_LOOPS = 2;
    private static final int CALLBACK_THREADS = 4;
    private static final int FLOW_CONTROL_WINDOW = 4 << 20;
    private static final int CALLS_MAX = 1024;

    private GrpcTransports() {}

    /**
     * A server at {@code address}; port 0 takes a free one. Accepts the keep-alive pings of TiKV's
     * clients (every 10 s, or 1 s from some, without calls too).
     */
    public static NettyServerBuilder server(HostPort address) {
        return NettyServerBuilder.forAddress(address.toSocketAddress())
                .bossEventLoopGroup(Holder.LOOPS)
                .workerEventLoopGroup(Holder.LOOPS)
                .channelType(NioServerSocketChannel.class)
                .executor(callbacks())
                .keepAliveTime(10, TimeUnit.SECONDS)
                .keepAliveTimeout(3, TimeUnit.SECONDS)
                .permitKeepAliveTime(500, TimeUnit.MILLISECONDS)
                .permitKeepAliveWithoutCalls(true)
                .flowControlWindow(FLOW_CONTROL_WINDOW)
                .maxInboundMessageSize(MESSAGE_BYTES_MAX);
    }

    /**
     * As {@link #server}, for services that never wait: their callbacks run on the connection's
     * event loop, which saves two changes of thread per message. These are two loops of their own,
     * so that what is evaluated there holds up none of the process's other connections. A
     * connection may have as many calls under way as TiKV's {@code server.grpc-concurrent-stream}
     * allows.
     */
    public static NettyServerBuilder unwaitingServer(HostPort address) {
        return server(address)
                .workerEventLoopGroup(Serving.LOOPS)
                .directExecutor()
                .maxConcurrentCallsPerConnection(CALLS_MAX);
    }

    /**
     * The event loop of {@link #unwaitingServer} that is the calling thread: what is sent from
     * there needs no other thread. Elsewhere {@link #callbacks()}.
     */
    public static Executor eventLoop() {
        Executor loop = current(Serving.LOOPS);
        return loop == null ? callbacks() : loop;
    }

    /** A channel to {@code address} ({@code host:port}); it connects at its first call. */
    public static NettyChannelBuilder channel(String address) {
        return NettyChannelBuilder.forTarget(target(address))
                .eventLoopGroup(Holder.LOOPS)
                .channelType(NioSocketChannel.class)
                .executor(callbacks())
                .offloadExecutor(callbacks())
                .usePlaintext()
                .keepAliveTime(10, TimeUnit.SECONDS)
                .keepAliveTimeout(3, TimeUnit.SECONDS)
                .keepAliveWithoutCalls(true)
                .disableRetry()
                .flowControlWindow(FLOW_CONTROL_WINDOW)
                .maxInboundMessageSize(MESSAGE_BYTES_MAX);
    }

    /**
     * As {@link #channel}, to a WAL node: callbacks run on the connection's event loop, one for all
     * of these channels, so that who is called there can send to every node without another thread.
     */
    public static NettyChannelBuilder linkChannel(String address) {
        return channel(address).eventLoopGroup(Linking.LOOPS).directExecutor();
    }

    /** The event loop of {@link #linkChannel} if that is the calling thread; null elsewhere. */
    public static @Nullable Executor linkLoop() {
        return current(Linking.LOOPS);
    }

    /** The one of these event loops that is the calling thread; null elsewhere. */
    static @Nullable Executor current(EventLoopGroup loops) {
        for (EventExecutor loop : loops) {
            if (loop.inEventLoop()) {
                return loop;
            }
        }
        return null;
    }

    /**
     * Threads for gRPC callbacks, shared by the process. The queue has no bound of its own: gRPC
     * needs an executor that never rejects, and what it queues is bounded by HTTP/2 flow control.
     */
    public static Executor callbacks() {
        return Holder.CALLBACKS;
    }

    private static String target(String address) {
        return address.contains("://") ? address : "dns:///" + address;
    }

    static EventLoopGroup loops(String name, int threads) {
        return new MultiThreadIoEventLoopGroup(
                threads, new DefaultThreadFactory(name, true), NioIoHandler.newFactory());
    }

    /** Made at the first use, as {@link Holder}. */
    private static final class Serving {
        static final EventLoopGroup LOOPS = loops("serve", EVENT_LOOPS);
    }

    /** Made at the first use, as {@link Holder}. */
    private static final class Linking {
        static final EventLoopGroup LOOPS = loops("link", 1);
    }

    /** Made at the first use. The threads are daemons and live as long as the process. */
    private static final class Holder {
        static final EventLoopGroup LOOPS = loops("net", EVENT_LOOPS);
        static final Executor CALLBACKS = executor();

        private static Executor executor() {
            ThreadPoolExecutor pool =
                    new ThreadPoolExecutor(
                            CALLBACK_THREADS,
                            CALLBACK_THREADS,
                            30,
                            TimeUnit.SECONDS,
                            new LinkedBlockingQueue<>(),
                            Threads.factory("grpc"));
            pool.allowCoreThreadTimeOut(true);
            return pool;
        }
    }
}
