package io.tidekv.compute.region;

import com.google.protobuf.ByteString;
import io.tidekv.common.time.Clock;
import io.tidekv.compute.engine.KvSnapshot;
import io.tidekv.compute.engine.WriteBatchBuilder;
import io.tidekv.compute.region.log.LogLease;
import io.tidekv.compute.tablet.Tablet;
import io.tidekv.proto.region.ObjectRef;
import io.tidekv.proto.region.RegionShape;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A region in one term as callers on any thread see it. The region's loop publishes two volatile
 * values here: what serves, and since when the lease counts. Both are withdrawn before the region
 * gives its lease up.
 */
final class RegionHandle implements RegionAccess.Region {
    /**
     * What answers reads and takes writes; replaced as a whole when the shape changes, and compared
     * by identity to see that it was not.
     */
    static final class Serving {
        private final RegionShape shape;
        private final Tablet tablet;

        private final long flashbackStartTs;

        Serving(RegionShape shape, Tablet tablet, long flashbackStartTs) {
            this.shape = shape;
            this.tablet = tablet;
            this.flashbackStartTs = flashbackStartTs;
        }

        /** Why it does not serve a request; null when it does. */
        @Nullable RuntimeException refuse(RegionHandle handle, long version, Access access) {
            if (shape.getVersion() != version) {
                return handle.wrongVersion(version);
            }
            return access.refuse(shape.getRegionId(), flashbackStartTs);
        }

        RegionShape shape() {
            return shape;
        }

        Tablet tablet() {
            return tablet;
        }
    }

    private final RegionEnv env;
    private final RegionLoop loop;
    private final long id;
    private final long term;
    private final AtomicLong proposalBytes = new AtomicLong();
    private volatile RegionShape shape;
    private volatile @Nullable Serving serving;
    private volatile @Nullable LogLease lease;

    /** Led, and the tablet is opened for the next request. */
    private volatile boolean resting;

    /** About to be led, in a moment and by nobody else: requests wait for that. */
    private volatile boolean beginning;

    /** Read or written since somebody looked. */
    private volatile boolean used;

    RegionHandle(RegionEnv env, RegionLoop loop, RegionShape shape, long term) {
        this.env = env;
        this.loop = loop;
        this.id = shape.getRegionId();
        this.shape = shape;
        this.term = term;
    }

    /** Loop: from now on reads and writes are taken, under this shape. */
    void serve(Serving now) {
        shape = now.shape;
        serving = now;
        resting = false;
        beginning = false;
    }

    /** Loop: the region will serve in a moment; requests wait for it. */
    void begin() {
        beginning = true;
    }

    /** Loop: the region is led without a tablet from now on; requests wait for one. */
    void rest() {
        resting = true;
        lease = null;
        serving = null;
    }

    /** Loop: whether anybody has used the region since the last call. */
    boolean takeUsed() {
        boolean was = used;
        used = false;
        return was;
    }

    private void use() {
        if (!used) {
            used = true;
        }
    }

    /** Loop: the lease in force, or none. */
    void lease(@Nullable LogLease now) {
        lease = serving == null ? null : now;
    }

    /** Loop: nothing is taken any more. Comes before the voters hear of it. */
    void stop() {
        resting = false;
        beginning = false;
        lease = null;
        serving = null;
    }

    /** What serves now, or null. */
    @Nullable Serving serving() {
        return serving;
    }

    /** Whether the region is led, be it that requests wait for the tablet. */
    boolean isServing() {
        return serving != null || resting;
    }

    /** Whether requests are taken, be it that they wait for the tablet or the log. */
    private boolean takesRequests() {
        return isServing() || beginning;
    }

    @Override
    public RegionShape shape() {
        return shape;
    }

    @Override
    public long term() {
        return term;
    }

    @Override
    public CompletableFuture<KvSnapshot> read(long version) {
        return read(version, Access.ANY);
    }

    @Override
    public CompletableFuture<KvSnapshot> read(long version, Access access) {
        Serving current = serving;
        use();
        if (current == null) {
            return takesRequests() ? readOnLoop(version, access) : failed(Failures.notLeader(id));
        }
        if (current.shape.getVersion() != version) {
            return failed(wrongVersion(version));
        }
        RuntimeException refusal = current.refuse(this, version, access);
        if (refusal != null && stillOwned(current)) {
            return failed(refusal);
        }
        if (refusal == null && lease != null) {
            try {
                KvSnapshot snapshot = current.tablet.snapshot(current.shape);
                if (stillOwned(current)) {
                    return CompletableFuture.completedFuture(snapshot);
                }
                snapshot.close();
            } catch (RuntimeException e) {
                // A tablet is closed some time after it has been withdrawn.
                if (serving == current || !isServing()) {
                    return failed(serving == current ? e : Failures.notLeader(id));
                }
            }
        }
        return readOnLoop(version, access);
    }

    /** Has the tablet of a region opened that rests. */
    void wake() {
        CompletableFuture<Void> awake = new CompletableFuture<>();
        onLoop(awake, peer -> peer.wake(awake));
    }

    private CompletableFuture<KvSnapshot> readOnLoop(long version, Access access) {
        CompletableFuture<KvSnapshot> result = new CompletableFuture<>();
        onLoop(result, peer -> peer.read(version, access, result));
        return result;
    }

    /**
     * Whether a snapshot taken of {@code current} before this call may be shown. The clocks are
     * read here, so a pause of any length before this counts; what was published is read after
     * them, so that it was not withdrawn yet when they were.
     */
    private boolean stillOwned(Serving current) {
        Clock.Reading now = env.clock().read();
        LogLease held = lease;
        return held != null && serving == current && held.covers(now);
    }

    @Override
    public CompletableFuture<Void> write(long version, WriteBatchBuilder batch) {
        return write(version, batch, Access.ANY);
    }

    @Override
    public CompletableFuture<Void> write(long version, WriteBatchBuilder batch, Access access) {
        Serving current = serving;
        use();
        if (current == null && takesRequests()) {
            CompletableFuture<Void> awake = new CompletableFuture<>();
            onLoop(awake, peer -> peer.wake(awake));
            return awake.thenCompose(open -> write(version, batch, access));
        }
        if (current == null) {
            return failed(Failures.notLeader(id));
        }
        RuntimeException refusal = current.refuse(this, version, access);
        if (refusal != null) {
            return failed(refusal);
        }
        ByteString data = batch.build();
        if (data.size() > env.options().entryBytesMax()) {
            return failed(Failures.tooLarge(id, data.size(), env.options().entryBytesMax()));
        }
        ByteString outside = BatchBytes.keyOutside(data, current.shape);
        if (outside != null) {
            return failed(Failures.keyOutside(outside, current.shape));
        }
        if (env.budget().isFull()) {
            return failed(Failures.busy("too much waits for the object store", 1000));
        }
        if (!admit(data.size())) {
            return failed(Failures.busy("too many writes wait for the log", 100));
        }
        long now = env.nowNanos();
        Proposal proposal =
                new Proposal(
                        version,
                        access,
                        data,
                        now,
                        now + env.options().proposalTimeout().toNanos(),
                        new CompletableFuture<>());
        proposal.result().whenComplete((done, error) -> release(data.size()));
        onLoop(proposal.result(), peer -> peer.write(proposal));
        return proposal.result();
    }

    private boolean admit(long bytes) {
        if (proposalBytes.addAndGet(bytes) > env.options().regionProposalBytes()
                || !env.budget().take(bytes)) {
            proposalBytes.addAndGet(-bytes);
            return false;
        }
        return true;
    }

    private void release(long bytes) {
        proposalBytes.addAndGet(-bytes);
        env.budget().give(bytes);
    }

    @Override
    public CompletableFuture<List<RegionShape>> split(long version, List<byte[]> keys) {
        CompletableFuture<List<RegionShape>> result = new CompletableFuture<>();
        List<ByteString> at = keys.stream().map(ByteString::copyFrom).toList();
        onLoop(result, peer -> peer.split(version, at, result));
        return result;
    }

    @Override
    public CompletableFuture<Void> flashback(long version, long startTs) {
        CompletableFuture<Void> result = new CompletableFuture<>();
        onLoop(result, peer -> peer.flashback(version, startTs, result));
        return result;
    }

    @Override
    public CompletableFuture<Void> confirm() {
        CompletableFuture<Void> result = new CompletableFuture<>();
        onLoop(result, peer -> peer.confirm(result));
        return result;
    }

    @Override
    public CompletableFuture<ObjectRef> publish() {
        CompletableFuture<ObjectRef> result = new CompletableFuture<>();
        onLoop(result, peer -> peer.publish(result));
        return result;
    }

    /** Runs on the region's loop, unless this term has ended there: then {@code result} fails. */
    private void onLoop(CompletableFuture<?> result, Consumer<RegionPeer> action) {
        loop.execute(
                () -> {
                    RegionPeer peer = loop.peer(id);
                    if (peer == null || peer.handle() != this) {
                        result.completeExceptionally(Failures.notLeader(id));
                    } else {
                        peer.guard(() -> action.accept(peer));
                        loop.touch(peer);
                    }
                });
    }

    RuntimeException wrongVersion(long asked) {
        return Failures.epoch(env.directory().siblings(this, asked), id, asked);
    }

    private static <T> CompletableFuture<T> failed(RuntimeException error) {
        return CompletableFuture.failedFuture(error);
    }
}
