package io.tidekv.sim.txn;

import com.google.protobuf.ByteString;
import io.tidekv.common.Randomness;
import io.tidekv.common.history.Fate;
import io.tidekv.common.history.SeenTxn;
import io.tidekv.compute.engine.Cf;
import io.tidekv.compute.engine.KvIterator;
import io.tidekv.compute.engine.KvSnapshot;
import io.tidekv.compute.restore.TabletStateMaker;
import io.tidekv.compute.tablet.PreparedRecord;
import io.tidekv.compute.tablet.Tablet;
import io.tidekv.compute.tablet.memory.MemoryTabletStore;
import io.tidekv.objects.restore.StateMaker;
import io.tidekv.objects.store.MemoryObjectStore;
import io.tidekv.proto.manifest.TabletRecord;
import io.tidekv.proto.region.Entry;
import io.tidekv.proto.region.EntryKind;
import io.tidekv.proto.region.ObjectRef;
import io.tidekv.proto.region.RegionShape;
import io.tidekv.sim.txn.Verdicts.Stored;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Restores a backup and compares it with how the run went on: it must hold transactions as a whole,
 * all that clients had been told of before, none that committed after its moment, and with each one
 * those whose writes it had read or written over.
 */
final class BackupVerdicts {
    private static final long CLUSTER = 1;

    private final TxnBackup backup;
    private final List<SeenTxn> told;
    private final Map<String, Map<Long, Stored>> stored;
    private final List<String> found = new ArrayList<>();

    /**
     * @param stored what is stored in the end, by key and start timestamp
     */
    BackupVerdicts(TxnBackup backup, List<SeenTxn> told, Map<String, Map<Long, Stored>> stored) {
        this.backup = backup;
        this.told = told;
        this.stored = stored;
    }

    List<String> judge() {
        Map<String, Map<Long, Stored>> restored = restore();
        Map<Long, SeenTxn> writers = new LinkedHashMap<>();
        told.forEach(txn -> writers.put(txn.id(), txn));
        stored.forEach((key, versions) -> ofKey(key, versions, of(restored, key)));
        for (SeenTxn txn : told) {
            boolean any =
                    txn.writes().keySet().stream()
                            .anyMatch(key -> of(restored, key).containsKey(txn.startTs()));
            boolean all =
                    txn.writes().keySet().stream()
                            .allMatch(key -> of(restored, key).containsKey(txn.startTs()));
            if (any && !all) {
                found.add("transaction " + txn.id() + " is in the backup in part");
            }
            if (!all && txn.fate() == Fate.COMMITTED && txn.ended() < backup.beganNanos()) {
                found.add("transaction " + txn.id() + " was told before and is not in the backup");
            }
            if (any) {
                txn.reads().forEach(read -> reads(txn, read, writers, restored));
            }
        }
        return found;
    }

    private void ofKey(String key, Map<Long, Stored> versions, Map<Long, Stored> restored) {
        long newest = 0;
        for (Stored version : restored.values()) {
            newest = Math.max(newest, version.commitTs());
            if (!version.equals(versions.get(version.startTs()))) {
                found.add(key + " has in the backup what was never stored: " + version);
            }
            if (version.commitTs() > backup.ts()) {
                found.add(key + " has in the backup what was committed later");
            }
        }
        for (Stored version : versions.values()) {
            if (version.commitTs() < newest && !restored.containsKey(version.startTs())) {
                found.add(key + " lacks in the backup what was written over");
            }
        }
    }

    private void reads(
            SeenTxn txn,
            SeenTxn.Read read,
            Map<Long, SeenTxn> writers,
            Map<String, Map<Long, Stored>> restored) {
        String value = read.value();
        if (value == null) {
            return;
        }
        SeenTxn writer = writers.get(Long.parseLong(value.substring(value.indexOf('#') + 1)));
        if (writer != null && !of(restored, read.key()).containsKey(writer.startTs())) {
            found.add(
                    "transaction "
                            + txn.id()
                            + " is in the backup and "
                            + writer.id()
                            + ", which it read, is not");
        }
    }

    private static Map<Long, Stored> of(Map<String, Map<Long, Stored>> all, String key) {
        return all.getOrDefault(key, Map.of());
    }

    /** Each key as a region of its own. */
    private Map<String, Map<Long, Stored>> restore() {
        MemoryTabletStore tablets =
                new MemoryTabletStore(CLUSTER, 1, new MemoryObjectStore(), Randomness.seeded(1));
        StateMaker maker = new TabletStateMaker(tablets, () -> {});
        List<TabletRecord> states = new ArrayList<>();
        List<ByteString> copies = backup.copies();
        for (int i = 0; i < copies.size(); i++) {
            states.add(state(maker, i, copies.get(i)));
        }
        if (backup.plant() == TxnBackup.Plant.PRIMARIES_ALONE) {
            states = maker.settle(states, -1);
        }
        Map<String, Map<Long, Stored>> restored = new TreeMap<>();
        for (TabletRecord settled : maker.settle(states, backup.ts())) {
            PreparedRecord record = new PreparedRecord(ObjectRef.getDefaultInstance(), settled);
            try (Tablet tablet = tablets.open(record, settled.getShape());
                    KvSnapshot view = tablet.snapshot(settled.getShape());
                    KvIterator locks = view.iterator(Cf.LOCK, null, null)) {
                locks.seekToFirst();
                if (locks.isValid()) {
                    found.add("locks are left in the backup");
                }
                restored.putAll(TxnSimulation.stored(view));
            }
        }
        return restored;
    }

    private static TabletRecord state(StateMaker maker, int key, ByteString rows) {
        RegionShape.Builder shape = RegionShape.newBuilder().setRegionId(key + 1L);
        if (key > 0) {
            shape.setStartKey(ByteString.copyFrom(TxnBackup.start(key)));
        }
        if (key < TxnKeysIn.COUNT - 1) {
            shape.setEndKey(ByteString.copyFrom(TxnBackup.start(key + 1)));
        }
        try (StateMaker.Replay replay = maker.beginEmpty(shape.build(), 1, 1)) {
            replay.apply(
                    Entry.newBuilder()
                            .setIndex(1)
                            .setTerm(1)
                            .setKind(EntryKind.WRITE)
                            .setData(rows)
                            .build());
            return replay.finish();
        }
    }
}
