package io.tidekv.compute.region;

import com.google.protobuf.ByteString;
import io.tidekv.compute.pd.PdException;
import io.tidekv.compute.region.log.AppendRefused;
import io.tidekv.compute.tablet.PublishRequest;
import io.tidekv.compute.tablet.SplitKeys;
import io.tidekv.proto.cluster.AskSplitRequest;
import io.tidekv.proto.cluster.AskSplitResponse;
import io.tidekv.proto.cluster.ChildIds;
import io.tidekv.proto.region.Entry;
import io.tidekv.proto.region.EntryKind;
import io.tidekv.proto.region.RegionShape;
import io.tidekv.proto.region.Split;
import io.tidekv.proto.region.SplitChild;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One split of a region. While the region serves, a first record of each child is stored and its
 * tablet opened, and both follow what the region writes. Then new writes are held for as long as
 * the Split entry takes to be committed; with it the children have all that they need. Before that
 * entry is proposed the split can be given up without a trace; afterwards the log decides. Belongs
 * to the region's loop.
 */
final class SplitJob {
    private static final Logger log = LoggerFactory.getLogger(SplitJob.class);

    /** What the children may lack when writes are held: fed on the loop, a few milliseconds. */
    private static final long LAG_BYTES_MAX = 64 << 10;

    /** Entries waiting for the children; a split that is slower than the writes is given up. */
    private static final long WAITING_BYTES_MAX = 128L << 20;

    private enum Step {
        ASKING,
        /** A publication that is under way comes first, and what the tablet has not taken yet. */
        WAITING,
        PREPARING,
        FEEDING,
        PAUSED,
        COMMITTING,
        OVER
    }

    private final RegionEnv env;
    private final RegionPeer peer;
    private final LedRegion led;
    private final RegionShape whole;
    private final CompletableFuture<List<RegionShape>> result;
    private List<ByteString> keys;
    private Step step = Step.ASKING;
    private List<ChildIds> ids = List.of();
    private @Nullable PreparedChildren children;
    private List<SplitChild> planned = List.of();
    // Committed since the preparation began, for the children.
    private List<Entry> waiting = new ArrayList<>();
    private long waitingBytes;
    private long pausedNanos;
    private long proposedIndex;

    /**
     * @param keys inner keys of the region in ascending order; empty: the middle is looked for
     */
    SplitJob(
            RegionEnv env,
            RegionPeer peer,
            LedRegion led,
            List<ByteString> keys,
            CompletableFuture<List<RegionShape>> result) {
        this.env = env;
        this.peer = peer;
        this.led = led;
        this.whole = led.machine().shape();
        this.keys = keys;
        this.result = result;
    }

    void start() {
        if (!keys.isEmpty()) {
            ask();
            return;
        }
        led.work()
                .run(
                        () -> SplitKeys.middle(led.tablet(), whole, env.apiMode()),
                        (middle, error) -> {
                            if (isOver()) {
                                return;
                            }
                            ByteString key = middle == null ? null : ByteString.copyFrom(middle);
                            if (key == null || !RegionRange.isInner(whole, key)) {
                                fail(
                                        error != null
                                                ? error
                                                : Failures.invalid("no key divides the region"));
                                return;
                            }
                            keys = List.of(key);
                            ask();
                        });
    }

    private void ask() {
        AskSplitRequest request =
                AskSplitRequest.newBuilder()
                        .setClusterId(env.clusterId())
                        .setOwner(env.owner())
                        .setParent(whole)
                        .setChildren(keys.size())
                        .build();
        env.pd()
                .askSplit(request)
                .whenComplete((response, error) -> peer.later(() -> asked(response, error)));
    }

    private void asked(@Nullable AskSplitResponse response, @Nullable Throwable error) {
        if (isOver()) {
            return;
        }
        if (response == null || response.getChildrenCount() != keys.size()) {
            fail(error != null ? error : PdException.unavailable("PD gave no ids for a split"));
            return;
        }
        ids = response.getChildrenList();
        // From here until the children publish, the log keeps what their records do not hold.
        led.publication().hold();
        step = Step.WAITING;
        peer.touch();
    }

    /** Goes on when what it waits for has come. Called in each round of the region. */
    void advance() {
        if (step == Step.WAITING && led.publication().isIdle() && led.hasAppliedAll()) {
            step = Step.PREPARING;
            PublishRequest request =
                    new PublishRequest(led.regionLog().term(), led.machine().record());
            led.work()
                    .run(
                            () -> PreparedChildren.make(env, led.tablet(), request, ids, shapes()),
                            this::prepared);
        }
    }

    private List<RegionShape> shapes() {
        List<RegionShape> divided = RegionMachine.divide(whole, keys);
        List<RegionShape> shapes = new ArrayList<>();
        for (int i = 0; i < keys.size(); i++) {
            ChildIds id = ids.get(i);
            shapes.add(
                    divided.get(i + 1).toBuilder()
                            .setRegionId(id.getRegionId())
                            .setPeerId(id.getPeerId())
                            .build());
        }
        return shapes;
    }

    private void prepared(@Nullable PreparedChildren made, @Nullable Throwable error) {
        if (isOver()) {
            if (made != null) {
                made.close();
            }
        } else if (made == null) {
            fail(error == null ? new IllegalStateException("no children") : error);
        } else {
            children = made;
            planned = made.planned();
            step = Step.FEEDING;
            feed(made);
        }
    }

    /** Brings the children up to the parent, on the pool until little is left. */
    private void feed(PreparedChildren to) {
        List<Entry> next = waiting;
        long bytes = waitingBytes;
        waiting = new ArrayList<>();
        waitingBytes = 0;
        if (bytes <= LAG_BYTES_MAX) {
            to.feed(next);
            led.proposals().pause();
            pausedNanos = env.nowNanos();
            step = Step.PAUSED;
            peer.touch();
            return;
        }
        led.work()
                .run(
                        () -> {
                            to.feed(next);
                            return to;
                        },
                        (fed, error) -> {
                            if (isOver()) {
                                to.close();
                            } else if (fed == null) {
                                fail(error == null ? new IllegalStateException("feed") : error);
                                to.close();
                            } else {
                                feed(to);
                            }
                        });
    }

    /** What the region is about to apply. */
    void committed(List<Entry> entries) {
        PreparedChildren to = children;
        if (to != null && (step == Step.PAUSED || step == Step.COMMITTING)) {
            to.feed(entries);
        } else if (step == Step.PREPARING || step == Step.FEEDING || step == Step.WAITING) {
            waiting.addAll(entries);
            entries.forEach(entry -> waitingBytes += entry.getData().size());
            if (waitingBytes > WAITING_BYTES_MAX) {
                fail(Failures.busy("the split does not keep up with the writes", 1000));
            }
        }
    }

    /** Proposes the entry. */
    void submit() {
        if (step != Step.PAUSED) {
            return;
        }
        Split split =
                Split.newBuilder()
                        .setParent(RegionMachine.divide(whole, keys).get(0))
                        .addAllChildren(planned)
                        .build();
        try {
            proposedIndex = led.regionLog().append(EntryKind.SPLIT, split.toByteString());
            step = Step.COMMITTING;
        } catch (AppendRefused e) {
            if (e.reason() != AppendRefused.Reason.FULL) {
                fail(Failures.notLeader(whole.getRegionId()));
            }
        }
    }

    /** Gives up what takes too long, while that is still possible. */
    void tick() {
        long pausedFor = env.nowNanos() - pausedNanos;
        if (step == Step.PAUSED && pausedFor > env.options().splitPauseMax().toNanos()) {
            fail(Failures.busy("the split would have held writes up for too long", 1000));
        }
    }

    /** The tablet of a child that the entry at {@code index} makes; the caller closes it. */
    @Nullable WarmTablet take(long regionId, long index) {
        PreparedChildren from = children;
        return from == null || step != Step.COMMITTING || index != proposedIndex
                ? null
                : from.take(regionId);
    }

    /** The own entry was applied: the region has its new shape. */
    void applied(long index, RegionShape rest) {
        if (step != Step.COMMITTING || index != proposedIndex) {
            return;
        }
        long pauseNanos = env.nowNanos() - pausedNanos;
        env.metrics().splitPause(pauseNanos);
        log.info(
                "region {} has split into {} parts, writes were held for {} ms",
                whole.getRegionId(),
                planned.size() + 1,
                pauseNanos / 1_000_000);
        over();
        List<CompletableFuture<RegionShape>> serving = new ArrayList<>();
        for (SplitChild child : planned) {
            serving.add(env.directory().whenServing(child.getShape().getRegionId()));
        }
        CompletableFuture.allOf(serving.toArray(CompletableFuture[]::new))
                .orTimeout(10, TimeUnit.SECONDS)
                .whenComplete((done, error) -> served(rest));
    }

    private void served(RegionShape rest) {
        List<RegionShape> parts = new ArrayList<>();
        for (SplitChild child : planned) {
            env.directory().stopAwaiting(child.getShape().getRegionId());
            parts.add(child.getShape());
        }
        parts.add(rest);
        result.complete(parts);
    }

    /** The own entry was void: somebody has changed the region's shape before. */
    void refused(long index, String reason) {
        if (step == Step.COMMITTING && index == proposedIndex) {
            fail(Failures.invalid("the split does not fit the region any more: " + reason));
        }
    }

    void fail(Throwable error) {
        if (isOver()) {
            return;
        }
        log.info("region {} is not split: {}", whole.getRegionId(), error.getMessage());
        over();
        result.completeExceptionally(error);
    }

    private void over() {
        boolean feeding = step == Step.FEEDING;
        step = Step.OVER;
        waiting = new ArrayList<>();
        PreparedChildren left = children;
        children = null;
        if (left != null && !feeding) {
            left.close();
        }
        led.proposals().resume();
        led.publication().release();
        peer.touch();
    }

    boolean isOver() {
        return step == Step.OVER;
    }
}
