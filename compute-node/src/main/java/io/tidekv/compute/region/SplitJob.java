package io.tidekv.compute.region;

import com.google.protobuf.ByteString;
import io.tidekv.compute.pd.PdException;
import io.tidekv.compute.region.core.ProposalRefused;
import io.tidekv.compute.tablet.ChildRecords;
import io.tidekv.compute.tablet.PublishRequest;
import io.tidekv.compute.tablet.Publisher;
import io.tidekv.compute.tablet.SplitKeys;
import io.tidekv.proto.cluster.AskSplitRequest;
import io.tidekv.proto.cluster.AskSplitResponse;
import io.tidekv.proto.cluster.ChildIds;
import io.tidekv.proto.manifest.TabletRecord;
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
 * One split of a region. Publishes while the region serves; then holds new writes, waits until
 * those under way are applied, flushes the little that is left, stores a first record for each
 * child and proposes the Split entry. Before that entry is proposed the split can be given up
 * without a trace; afterwards the log decides. Belongs to the region's loop.
 */
final class SplitJob {
    private static final Logger log = LoggerFactory.getLogger(SplitJob.class);

    private enum Step {
        PREPARING,
        DRAINING,
        DRAFTING,
        DRAFTED,
        COMMITTING,
        OVER
    }

    private final RegionEnv env;
    private final RegionPeer peer;
    private final LedRegion led;
    private final RegionShape whole;
    private final CompletableFuture<List<RegionShape>> result;
    private List<ByteString> keys;
    private Step step = Step.PREPARING;
    private List<ChildIds> ids = List.of();
    private List<SplitChild> children = List.of();
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
            publish();
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
                            publish();
                        });
    }

    private void publish() {
        led.publication()
                .request(
                        error -> {
                            if (isOver()) {
                                return;
                            }
                            if (error != null) {
                                fail(error);
                            } else {
                                ask();
                            }
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
        pausedNanos = env.nowNanos();
        led.proposals().pause();
        led.publication().hold();
        step = Step.DRAINING;
        peer.touch();
    }

    /** Goes on when what it waits for has come. Called in each round of the region. */
    void advance() {
        if (step == Step.DRAINING && led.proposals().isDrained() && led.publication().isIdle()) {
            step = Step.DRAFTING;
            PublishRequest request =
                    new PublishRequest(led.leader().term(), led.machine().record());
            Publisher publisher = env.tablets().publisher();
            led.work()
                    .run(
                            () -> {
                                TabletRecord draft = publisher.draft(led.tablet(), request);
                                return firstRecords(publisher, draft);
                            },
                            this::drafted);
        }
    }

    /** Runs on the pool: a record for each child, in the object store. */
    private List<SplitChild> firstRecords(Publisher publisher, TabletRecord draft) {
        List<RegionShape> shapes = RegionMachine.divide(whole, keys);
        List<SplitChild> stored = new ArrayList<>();
        for (int i = 0; i < keys.size(); i++) {
            ChildIds id = ids.get(i);
            RegionShape shape =
                    shapes.get(i + 1).toBuilder()
                            .setRegionId(id.getRegionId())
                            .setPeerId(id.getPeerId())
                            .build();
            TabletRecord record = ChildRecords.clip(draft, shape, id.getFirstTerm());
            stored.add(
                    SplitChild.newBuilder()
                            .setShape(shape)
                            .setFirstRecord(publisher.store(record))
                            .setConfig(id.getConfig())
                            .setFirstTerm(id.getFirstTerm())
                            .setFirstOwner(env.owner())
                            .build());
        }
        return stored;
    }

    private void drafted(@Nullable List<SplitChild> stored, @Nullable Throwable error) {
        if (isOver()) {
            return;
        }
        if (stored == null) {
            fail(error == null ? new IllegalStateException("no records") : error);
            return;
        }
        children = stored;
        step = Step.DRAFTED;
        peer.touch();
    }

    /** Proposes what is drafted. */
    void submit() {
        if (step != Step.DRAFTED) {
            return;
        }
        Split split =
                Split.newBuilder()
                        .setParent(RegionMachine.divide(whole, keys).get(0))
                        .addAllChildren(children)
                        .build();
        try {
            proposedIndex = led.leader().propose(EntryKind.SPLIT, split.toByteString());
            step = Step.COMMITTING;
        } catch (ProposalRefused e) {
            if (e.reason() != ProposalRefused.Reason.WINDOW_FULL) {
                fail(Failures.notLeader(whole.getRegionId()));
            }
        }
    }

    /** Gives up what takes too long, while that is still possible. */
    void tick() {
        boolean pausing = step == Step.DRAINING || step == Step.DRAFTING || step == Step.DRAFTED;
        long pausedFor = env.nowNanos() - pausedNanos;
        if (pausing && pausedFor > env.options().splitPauseMax().toNanos()) {
            fail(Failures.busy("the split would have held writes up for too long", 1000));
        }
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
                children.size() + 1,
                pauseNanos / 1_000_000);
        over();
        List<CompletableFuture<RegionShape>> serving = new ArrayList<>();
        for (SplitChild child : children) {
            serving.add(env.directory().whenServing(child.getShape().getRegionId()));
        }
        CompletableFuture.allOf(serving.toArray(CompletableFuture[]::new))
                .orTimeout(10, TimeUnit.SECONDS)
                .whenComplete((done, error) -> served(rest));
    }

    private void served(RegionShape rest) {
        List<RegionShape> parts = new ArrayList<>();
        for (SplitChild child : children) {
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
        step = Step.OVER;
        led.proposals().resume();
        led.publication().release();
        peer.touch();
    }

    boolean isOver() {
        return step == Step.OVER;
    }
}
