package io.tidekv.compute.restore;

import com.google.protobuf.ByteString;
import com.google.protobuf.UnsafeByteOperations;
import io.tidekv.compute.engine.Cf;
import io.tidekv.compute.engine.KvSnapshot;
import io.tidekv.compute.mvcc.LockRecord;
import io.tidekv.compute.mvcc.Ts;
import io.tidekv.compute.mvcc.TxnKey;
import io.tidekv.compute.region.LogReplay;
import io.tidekv.compute.tablet.PreparedRecord;
import io.tidekv.compute.tablet.PublishRequest;
import io.tidekv.compute.tablet.TabletStore;
import io.tidekv.compute.txn.LeftoverLocks;
import io.tidekv.compute.txn.LeftoverLocks.Found;
import io.tidekv.compute.txn.LeftoverLocks.Trace;
import io.tidekv.proto.manifest.TabletRecord;
import io.tidekv.proto.region.ObjectRef;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Function;

/**
 * Brings the transactions of several regions' states to an end, and removes what was committed
 * after a timestamp. One region is open at a time. Belongs to one thread.
 */
final class Settlement {
    private final TabletStore tablets;
    private final Runnable pause;
    private final List<TabletRecord> regions;
    private final long upToTs;
    private final TreeMap<ByteString, Integer> byStart =
            new TreeMap<>(ByteString.unsignedLexicographicalComparator());
    private final Map<Transaction, Long> commits = new HashMap<>();

    private record Transaction(long startTs, ByteString primary) {}

    /**
     * @param upToTs -1: nothing is removed
     */
    Settlement(TabletStore tablets, Runnable pause, List<TabletRecord> regions, long upToTs) {
        this.tablets = tablets;
        this.pause = pause;
        this.regions = List.copyOf(regions);
        this.upToTs = upToTs;
        for (int i = 0; i < regions.size(); i++) {
            byStart.put(regions.get(i).getShape().getStartKey(), i);
        }
    }

    List<TabletRecord> run() {
        List<List<Found>> locks = new ArrayList<>();
        for (int i = 0; i < regions.size(); i++) {
            locks.add(hasLocks(regions.get(i)) ? view(i, LeftoverLocks::all) : List.of());
        }
        // All are decided before any is settled: what is looked up must not have changed.
        locks.forEach(found -> found.forEach(this::decide));
        if (upToTs != Ts.MAX) {
            findCommits();
        }
        List<TabletRecord> settled = new ArrayList<>();
        for (int i = 0; i < regions.size(); i++) {
            TabletRecord region = regions.get(i);
            boolean same = locks.get(i).isEmpty() && !hasCommitsAfter(region, upToTs);
            settled.add(same ? region : settle(region, locks.get(i)));
        }
        return settled;
    }

    /** Whether there may be any: most regions of a cluster at rest need not be opened. */
    private static boolean hasLocks(TabletRecord region) {
        return region.getColumnFamiliesList().stream()
                .anyMatch(family -> family.getId() == Cf.LOCK.id() && family.getFilesCount() > 0);
    }

    /** Whether there may be any: what a record tells spares reading all rows. */
    private static boolean hasCommitsAfter(TabletRecord region, long ts) {
        return ts != Ts.MAX && (!region.hasMaxCommitTs() || Ts.less(ts, region.getMaxCommitTs()));
    }

    private void decide(Found found) {
        LockRecord lock = found.lock();
        if (!lock.isPessimistic()) {
            commits.computeIfAbsent(
                    new Transaction(lock.startTs(), lock.primary()), this::commitTs);
        }
    }

    /**
     * A state may have been taken before the primary was committed and another one after a further
     * key was: then only that key tells.
     */
    private void findCommits() {
        Set<Long> open = new HashSet<>();
        commits.forEach(
                (transaction, commitTs) -> {
                    if (commitTs == 0) {
                        open.add(transaction.startTs);
                    }
                });
        if (open.isEmpty()) {
            return;
        }
        long oldest = open.stream().min(Long::compareUnsigned).orElseThrow();
        Map<Long, Long> found = new HashMap<>();
        for (int i = 0; i < regions.size(); i++) {
            // A transaction commits after it has begun.
            if (hasCommitsAfter(regions.get(i), oldest)) {
                found.putAll(view(i, snapshot -> LeftoverLocks.commits(snapshot, open)));
            }
        }
        commits.replaceAll(
                (transaction, commitTs) ->
                        commitTs == 0 ? found.getOrDefault(transaction.startTs, 0L) : commitTs);
    }

    private long commitTs(Transaction transaction) {
        Trace primary = look(transaction.primary, transaction.startTs);
        LockRecord lock = primary.lock();
        if (primary.commitTs() != 0 || lock == null) {
            return primary.commitTs();
        }
        List<Trace> secondaries = new ArrayList<>();
        for (ByteString secondary : lock.secondaries()) {
            secondaries.add(look(secondary, transaction.startTs));
        }
        return LeftoverLocks.commitTs(lock, secondaries);
    }

    private Trace look(ByteString raw, long startTs) {
        TxnKey key = TxnKey.of(raw);
        int region = byStart.floorEntry(UnsafeByteOperations.unsafeWrap(key.encoded())).getValue();
        return view(region, snapshot -> LeftoverLocks.trace(snapshot, key, startTs));
    }

    private <T> T view(int region, Function<KvSnapshot, T> look) {
        try (LogReplay open = open(regions.get(region));
                KvSnapshot snapshot = open.tablet().snapshot(open.tablet().state().shape())) {
            return look.apply(snapshot);
        }
    }

    private LogReplay open(TabletRecord record) {
        return LogReplay.open(
                tablets, new PreparedRecord(ObjectRef.getDefaultInstance(), record), pause);
    }

    private TabletRecord settle(TabletRecord record, List<Found> locks) {
        try (LogReplay open = open(record)) {
            for (Found found : locks) {
                long commitTs =
                        commits.getOrDefault(
                                new Transaction(found.lock().startTs(), found.lock().primary()),
                                0L);
                boolean stays = commitTs != 0 && Ts.atMost(commitTs, upToTs);
                try (KvSnapshot snapshot = open.tablet().snapshot(open.tablet().state().shape())) {
                    open.amend(LeftoverLocks.settle(snapshot, found, stays ? commitTs : 0));
                }
            }
            if (hasCommitsAfter(record, upToTs)) {
                try (KvSnapshot snapshot = open.tablet().snapshot(open.tablet().state().shape())) {
                    LeftoverLocks.removeAfter(snapshot, upToTs, open::amend);
                }
            }
            return tablets.publisher()
                    .draft(open.tablet(), new PublishRequest(record.getTerm(), null));
        }
    }
}
