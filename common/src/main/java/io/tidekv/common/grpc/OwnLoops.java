package io.tidekv.common.grpc;

import io.grpc.netty.NettyServerBuilder;
import io.netty.channel.AdaptiveRecvByteBufAllocator;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.tidekv.common.config.HostPort;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Event loops of one server's own: a callback that waits there holds up this server's connections
 * only. Threads start with their first connection.
 */
public final class OwnLoops implements AutoCloseable {
    /** What one read takes at most. A frame that goes on in the next one has that one copied. */
    private static final int RECEIVED_BYTES_MAX = 512 << 10;

    private final EventLoopGroup loops;

    public OwnLoops(String name, int threads) {
        loops = GrpcTransports.loops(name, threads);
    }

    /** As {@link GrpcTransports#server}, with callbacks on these loops. */
    public NettyServerBuilder server(HostPort address) {
        return GrpcTransports.server(address)
                .workerEventLoopGroup(loops)
                .withChildOption(
                        ChannelOption.RECVBUF_ALLOCATOR,
                        new AdaptiveRecvByteBufAllocator(64, 2048, RECEIVED_BYTES_MAX))
                .directExecutor();
    }

    /** The loop that is the calling thread; null elsewhere. */
    public @Nullable Executor current() {
        return GrpcTransports.current(loops);
    }

    /** Ends the threads soon; the server has ended before. */
    @Override
    public void close() {
        var unused = loops.shutdownGracefully(0, 1, TimeUnit.SECONDS);
    }
}
