package io.tidekv.objects.backup;

import com.google.protobuf.ByteString;
import io.tidekv.objects.backup.Owners.Answer;
import io.tidekv.objects.backup.Owners.Owned;
import io.tidekv.objects.gc.CollectionStopped;
import io.tidekv.objects.store.StoreContext;
import io.tidekv.proto.region.ObjectRef;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/**
 * The states of a running cluster as of one moment. A timestamp is taken; then all regions are
 * settled at it, so that nothing that is chosen or written from then on commits at or below it; and
 * only when all of them are, they publish, each at some time after that. docs/adr/0020. Regions may
 * move and split meanwhile: each step goes on until what has answered covers the key space.
 * Blocking; belongs to one thread.
 */
public final class MomentCut implements CutSource {
    private static final int AT_ONCE = 64;
    private static final Duration PAUSE = Duration.ofMillis(100);

    /** Longer than any backup may take; released before. */
    private static final Duration HELD = Duration.ofMinutes(25);

    private final Owners owners;
    private final StoreContext context;
    private final Duration patience;
    private final Consumer<String> progress;

    /**
     * @param patience how long to go on when regions have no owner, or cannot publish
     * @param progress told how far it has come
     */
    public MomentCut(
            Owners owners, StoreContext context, Duration patience, Consumer<String> progress) {
        this.owners = owners;
        this.context = context;
        this.patience = patience;
        this.progress = progress;
    }

    @Override
    public Cut take(Runnable begins) {
        long deadline = context.clock().monotonicNanos() + patience.toNanos();
        long ts = owners.timestamp();
        if (!owners.hold(ts, HELD)) {
            throw new CollectionStopped(
                    "old versions are collected up to a later time than PD's: see its safe point");
        }
        try {
            cover(ts, false, deadline);
            begins.run();
            return new Cut(ts, List.copyOf(cover(ts, true, deadline).values()));
        } finally {
            release();
        }
    }

    private void release() {
        try {
            owners.release();
        } catch (CollectionStopped e) {
            progress.accept("old versions are kept for up to " + HELD.toMinutes() + " min more");
        }
    }

    /** Records by region; none when nothing is published. */
    private Map<Long, ObjectRef> cover(long ts, boolean publish, long deadline) {
        Map<Long, ObjectRef> records = new LinkedHashMap<>();
        KeyGaps gaps = new KeyGaps();
        List<Owned> all = owners.regions();
        int answered = 0;
        String problem = "no region has an owner";
        while (!gaps.isEmpty()) {
            Map<String, List<Long>> asked = choose(all, gaps);
            int before = answered;
            boolean isOld = asked.isEmpty();
            for (Answer answer : owners.settle(asked, ts, publish)) {
                ObjectRef record = answer.record();
                if (!answer.problem().isEmpty()) {
                    problem = "region " + answer.regionId() + ": " + answer.problem();
                    isOld = true;
                    continue;
                }
                if (!gaps.meets(answer.start(), answer.end())) {
                    // It has split: what it was asked for is another region's now.
                    problem = "region " + answer.regionId() + " has split";
                    isOld = true;
                    continue;
                }
                answered++;
                gaps.close(answer.start(), answer.end());
                if (record != null) {
                    records.put(answer.regionId(), record);
                }
            }
            progress.accept(
                    answered
                            + " of "
                            + all.size()
                            + (publish ? " regions have published" : " regions are settled"));
            if (answered == before) {
                pause(gaps, problem, deadline);
            }
            all = isOld ? owners.regions() : all;
        }
        return records;
    }

    /** Some regions for each store, of which something is still wanted. */
    private static Map<String, List<Long>> choose(List<Owned> all, KeyGaps gaps) {
        Map<String, List<Long>> chosen = new LinkedHashMap<>();
        for (Owned region : all) {
            if (!region.store().isEmpty() && gaps.meets(region.start(), region.end())) {
                List<Long> ofStore =
                        chosen.computeIfAbsent(region.store(), store -> new ArrayList<>());
                if (ofStore.size() < AT_ONCE) {
                    ofStore.add(region.regionId());
                }
            }
        }
        return chosen;
    }

    private void pause(KeyGaps gaps, String problem, long deadline) {
        if (context.clock().monotonicNanos() - deadline > 0) {
            throw new CollectionStopped(
                    "no state of the keys from "
                            + hex(gaps.first())
                            + " on could be had in "
                            + patience.toSeconds()
                            + " s ("
                            + problem
                            + "): try again when all regions are led and the object store"
                            + " answers");
        }
        try {
            context.sleeper().sleep(PAUSE);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new CollectionStopped("interrupted while regions were asked");
        }
    }

    private static String hex(ByteString key) {
        return key.isEmpty() ? "the first" : HexFormat.of().formatHex(key.toByteArray());
    }
}
