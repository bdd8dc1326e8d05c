package io.tidekv.compute.tablet.rocks;

import io.tidekv.compute.tablet.PreparedRecord;
import io.tidekv.compute.tablet.manifest.RecordFiles;
import io.tidekv.proto.manifest.TabletRecord;
import io.tidekv.proto.region.ObjectRef;
import java.util.Collection;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * What of a tablet is in the object store: the record in force, and where each of its table files
 * is. Thread-safe.
 */
final class Publication {
    /** Uploaded files by local number, published or not yet. */
    private final Map<Long, ObjectRef> objects = new ConcurrentHashMap<>();

    /** Bytes applied when a draft was begun, by the draft's applied index. */
    private final TreeMap<Long, Long> drafts = new TreeMap<>();

    private @Nullable PreparedRecord base;
    private long term;
    private long sequence;
    private long appliedBytes;
    private long publishedBytes;

    /** Counts reasons to publish that are in no log entry. */
    private long besides;

    private long besidesDrafted;
    private long besidesPublished;

    Publication(@Nullable PreparedRecord base) {
        this.base = base;
        if (base != null) {
            RecordFiles.byNumber(base.record())
                    .forEach((number, file) -> objects.put(number, file.getObject()));
            term = base.record().getTerm();
            sequence = base.record().getSequence();
        }
    }

    synchronized void applied(long bytes) {
        appliedBytes += bytes;
    }

    synchronized long appliedBytes() {
        return appliedBytes;
    }

    /** Much has been deleted or rewritten without a log entry. */
    synchronized void changedBeside() {
        besides++;
    }

    synchronized boolean hasChangedBeside() {
        return besides > besidesPublished;
    }

    /** A draft begins; what is applied from now on may not be in it. Returns the bytes applied. */
    synchronized long beginDraft() {
        besidesDrafted = besides;
        return appliedBytes;
    }

    synchronized long unpublishedBytes() {
        return appliedBytes - publishedBytes;
    }

    synchronized @Nullable PreparedRecord base() {
        return base;
    }

    @Nullable ObjectRef object(long number) {
        return objects.get(number);
    }

    Map<Long, ObjectRef> objects() {
        return objects;
    }

    void uploaded(long number, ObjectRef object) {
        objects.put(number, object);
    }

    /** Forgets files that RocksDB has no more. Numbers are never used again. */
    void retain(Collection<Long> live) {
        objects.keySet().retainAll(live);
    }

    /** Counts the records of a term. */
    synchronized long nextSequence(long ofTerm) {
        sequence = ofTerm == term ? sequence + 1 : 1;
        term = ofTerm;
        return sequence;
    }

    /** A draft holds everything up to the index, among it the first {@code bytes} applied here. */
    synchronized void drafted(long index, long bytes) {
        drafts.merge(index, bytes, Math::max);
    }

    synchronized void published(PreparedRecord record) {
        base = record;
        TabletRecord content = record.record();
        Map.Entry<Long, Long> covered = drafts.floorEntry(content.getAppliedIndex());
        if (covered != null) {
            publishedBytes = Math.max(publishedBytes, covered.getValue());
        }
        drafts.headMap(content.getAppliedIndex(), true).clear();
        besidesPublished = besidesDrafted;
    }
}
