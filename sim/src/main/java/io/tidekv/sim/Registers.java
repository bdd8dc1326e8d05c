package io.tidekv.sim;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import io.tidekv.proto.region.Entry;
import io.tidekv.proto.region.EntryKind;
import io.tidekv.proto.region.ManifestCommit;
import io.tidekv.proto.region.ObjectRef;
import io.tidekv.proto.region.Snapshot;
import java.nio.ByteBuffer;
import java.util.Map;
import java.util.TreeMap;

/** The state machine of a region: a few registers, each with the write that set it last. */
final class Registers {
    private final Map<Integer, Long> values = new TreeMap<>();
    private long appliedIndex;
    private long appliedTerm;
    private ObjectRef record = ObjectRef.getDefaultInstance();

    static Registers open(Snapshot snapshot, Records records) {
        Registers registers = new Registers();
        registers.appliedIndex = snapshot.getIndex();
        registers.appliedTerm = snapshot.getTerm();
        if (snapshot.hasRecord()) {
            Records.Published published = records.get(snapshot.getRecord().getKey());
            SimFailure.check(
                    published.appliedIndex() == snapshot.getIndex(),
                    "the record covers %d, the snapshot %d",
                    published.appliedIndex(),
                    snapshot.getIndex());
            registers.values.putAll(published.values());
            registers.record = snapshot.getRecord();
        }
        return registers;
    }

    static ByteString write(int key, long op, int padding) {
        ByteBuffer buffer = ByteBuffer.allocate(12 + padding).putInt(key).putLong(op);
        return ByteString.copyFrom(buffer.array());
    }

    static int key(Entry entry) {
        return entry.getData().asReadOnlyByteBuffer().getInt(0);
    }

    static long op(Entry entry) {
        return entry.getData().asReadOnlyByteBuffer().getLong(4);
    }

    static ManifestCommit manifest(Entry entry) {
        try {
            return ManifestCommit.parseFrom(entry.getData());
        } catch (InvalidProtocolBufferException e) {
            throw new SimFailure("entry " + entry.getIndex() + " is no manifest commit");
        }
    }

    /** Applies the next entry. Returns whether it was a valid publication. */
    boolean apply(Entry entry) {
        SimFailure.check(
                entry.getIndex() == appliedIndex + entry.getParts() + 1,
                "entry %d is applied after %d",
                entry.getIndex(),
                appliedIndex);
        SimFailure.check(entry.getKind() != EntryKind.PART, "a part is applied");
        appliedIndex = entry.getIndex();
        appliedTerm = entry.getTerm();
        if (entry.getKind() == EntryKind.WRITE) {
            values.put(key(entry), op(entry));
        }
        if (entry.getKind() == EntryKind.MANIFEST_COMMIT) {
            ManifestCommit commit = manifest(entry);
            if (commit.getParent().equals(record)) {
                record = commit.getRecord();
                return true;
            }
        }
        return false;
    }

    long value(int key) {
        return values.getOrDefault(key, 0L);
    }

    long appliedIndex() {
        return appliedIndex;
    }

    ObjectRef record() {
        return record;
    }

    Records.Published published() {
        return new Records.Published(appliedIndex, appliedTerm, new TreeMap<>(values));
    }
}
