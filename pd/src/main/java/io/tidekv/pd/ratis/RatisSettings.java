package io.tidekv.pd.ratis;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.apache.ratis.RaftConfigKeys;
import org.apache.ratis.conf.RaftProperties;
import org.apache.ratis.grpc.GrpcConfigKeys;
import org.apache.ratis.server.RaftServerConfigKeys;
import org.apache.ratis.server.RaftServerConfigKeys.Log;
import org.apache.ratis.server.RaftServerConfigKeys.Read;
import org.apache.ratis.server.RaftServerConfigKeys.Rpc;
import org.apache.ratis.server.RaftServerConfigKeys.Snapshot;
import org.apache.ratis.server.RaftServerConfigKeys.ThreadPool;
import org.apache.ratis.util.SizeInBytes;
import org.apache.ratis.util.TimeDuration;

/** Ratis' settings for a small, quiet group: few threads, small buffers, quick elections. */
final class RatisSettings {
    /** Longest command; an entry has a little around it. */
    static final int COMMAND_BYTES_MAX = 4 << 20;

    private static final int ENTRY_BYTES_MAX = COMMAND_BYTES_MAX + 65_536;

    private RatisSettings() {}

    static RaftProperties of(RatisOptions options) {
        RaftProperties p = new RaftProperties();
        RaftServerConfigKeys.setStorageDir(p, List.of(options.folder().toFile()));
        if (options.alone()) {
            RaftConfigKeys.Rpc.setType(p, new AloneRpc());
        }
        GrpcConfigKeys.Server.setHost(p, options.listen().host());
        GrpcConfigKeys.Server.setPort(p, options.listen().port());
        GrpcConfigKeys.Server.setBossGroupSize(p, 1);
        GrpcConfigKeys.Server.setWorkerGroupSize(p, 1);
        GrpcConfigKeys.Server.setAsyncRequestThreadPoolSize(p, 2);
        GrpcConfigKeys.setUseEpoll(p, false);
        // Ratis would step down after a pause, and after a minute's end the server. A leader that
        // wakes
        // up is checked by its term and by TsoService instead, and a lone one is still the leader.
        RaftServerConfigKeys.setSleepDeviationThreshold(p, millis(Duration.ofDays(365).toMillis()));
        RaftServerConfigKeys.setCloseThreshold(p, millis(Duration.ofDays(365).toMillis()));
        elections(p, options);
        log(p);
        Snapshot.setAutoTriggerEnabled(p, true);
        Snapshot.setAutoTriggerThreshold(p, options.snapshotEvery());
        Snapshot.setCreationGap(p, Math.min(1000, options.snapshotEvery()));
        Snapshot.setRetentionFileNum(p, 2);
        RaftServerConfigKeys.RetryCache.setExpiryTime(p, millis(10_000));
        // A confirmation must cost a round of heartbeats: leases are counted by the caller.
        Read.setOption(p, Read.Option.LINEARIZABLE);
        Read.setLeaderLeaseEnabled(p, false);
        Read.setTimeout(p, millis(3_000));
        ThreadPool.setProxyCached(p, true);
        ThreadPool.setServerCached(p, true);
        ThreadPool.setClientCached(p, true);
        ThreadPool.setProxySize(p, 4);
        ThreadPool.setServerSize(p, 4);
        ThreadPool.setClientSize(p, 4);
        return p;
    }

    private static void elections(RaftProperties p, RatisOptions options) {
        long min = options.electionTimeout().toMillis();
        Rpc.setTimeoutMin(p, millis(min));
        Rpc.setTimeoutMax(p, millis(min * 2));
        // A group that has just started has no leader whose silence would have to be waited for.
        Rpc.setFirstElectionTimeoutMin(p, millis(options.alone() ? 1 : Math.min(200, min)));
        Rpc.setFirstElectionTimeoutMax(p, millis(options.alone() ? 2 : Math.min(600, 2 * min)));
        Rpc.setSleepTime(p, millis(5));
        Rpc.setRequestTimeout(p, millis(3_000));
        RaftServerConfigKeys.LeaderElection.setPreVote(p, !options.alone());
    }

    private static void log(RaftProperties p) {
        Log.setSegmentSizeMax(p, SizeInBytes.valueOf("8MB"));
        Log.setPreallocatedSize(p, SizeInBytes.valueOf("64KB"));
        Log.setSegmentCacheNumMax(p, 2);
        Log.setSegmentCacheSizeMax(p, SizeInBytes.valueOf("16MB"));
        Log.setWriteBufferSize(p, SizeInBytes.valueOf(ENTRY_BYTES_MAX + 65_536));
        Log.setQueueByteLimit(p, SizeInBytes.valueOf("16MB"));
        Log.Appender.setBufferByteLimit(p, SizeInBytes.valueOf(ENTRY_BYTES_MAX));
        Log.Appender.setWaitTimeMin(p, millis(0));
        Log.setPurgeUptoSnapshotIndex(p, true);
        Log.setPurgeGap(p, 1024);
        RaftServerConfigKeys.Write.setElementLimit(p, 4096);
        RaftServerConfigKeys.Write.setByteLimit(p, SizeInBytes.valueOf("32MB"));
    }

    private static TimeDuration millis(long millis) {
        return TimeDuration.valueOf(millis, TimeUnit.MILLISECONDS);
    }
}
