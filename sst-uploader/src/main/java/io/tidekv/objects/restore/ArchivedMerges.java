package io.tidekv.objects.restore;

import com.google.protobuf.InvalidProtocolBufferException;
import io.tidekv.common.InvariantViolation;
import io.tidekv.objects.archive.ArchiveException;
import io.tidekv.objects.archive.ArchiveReader;
import io.tidekv.objects.archive.RegionArchive;
import io.tidekv.proto.region.CommitMerge;
import io.tidekv.proto.region.Entry;
import io.tidekv.proto.region.EntryKind;
import io.tidekv.proto.region.ManifestCommit;
import io.tidekv.proto.region.MergedRegion;
import io.tidekv.proto.region.ObjectRef;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedSet;
import java.util.TreeSet;

/**
 * The merges of regions that the archived log tells of. An entry of the target's log decides, and
 * it is also what shows how far the source's log is committed: the source's voters have been told
 * to forget it. Belongs to one thread.
 */
final class ArchivedMerges {
    private final ArchiveReader archive;
    private final Map<LogKey, List<Merge>> byLog = new LinkedHashMap<>();
    private boolean loaded;

    /** A log of a region. */
    private record LogKey(long regionId, long logId) {}

    /**
     * A merge that has come about.
     *
     * @param index of the entry in the target's log
     * @param writtenMillis when that was written, by the clocks of WAL nodes
     * @param commit without what the source has written last
     */
    record Merge(long index, long writtenMillis, CommitMerge commit) {
        ObjectRef record() {
            return commit.getRecord().getRecord();
        }

        long sourceId() {
            return commit.getSource().getShape().getRegionId();
        }
    }

    /** Looks at nothing before {@link #load}, or before a log is asked for that has a merge. */
    ArchivedMerges(ArchiveReader archive) {
        this.archive = archive;
    }

    /**
     * Looks through all logs, and tells the archive of entries that are known to be committed by
     * what it finds.
     */
    void load() {
        loaded = true;
        TreeSet<Long> all = new TreeSet<>(archive.regions());
        ArrayDeque<Long> unread = new ArrayDeque<>(all);
        while (!unread.isEmpty()) {
            long region = unread.remove();
            for (ArchiveReader.Log log : archive.logs(region)) {
                // More of a source's log can be read now, and that may tell of earlier ones.
                read(region, log.logId()).stream()
                        .filter(source -> all.contains(source) && !unread.contains(source))
                        .forEach(unread::add);
            }
        }
    }

    /** The sources of merges that were not known yet. */
    private List<Long> read(long region, long logId) {
        LogKey key = new LogKey(region, logId);
        List<Merge> before = byLog.getOrDefault(key, List.of());
        List<Merge> found;
        try {
            found = merges(archive.region(region, logId));
        } catch (ArchiveException | InvariantViolation e) {
            // Whoever wants to use the log comes to the same, and tells.
            return List.of();
        }
        byLog.put(key, found);
        List<Long> sources = new ArrayList<>();
        for (Merge merge : found) {
            if (before.stream().noneMatch(known -> known.index == merge.index)) {
                MergedRegion source = merge.commit.getSource();
                archive.committed(
                        merge.sourceId(), source.getPrepareIndex(), source.getPrepareTerm());
                sources.add(merge.sourceId());
            }
        }
        return sources;
    }

    private static List<Merge> merges(RegionArchive log) {
        List<Merge> found = new ArrayList<>();
        List<Long> indexes = log.ofKind(EntryKind.COMMIT_MERGE);
        if (indexes.isEmpty()) {
            return found;
        }
        TreeSet<Long> commits = new TreeSet<>(log.ofKind(EntryKind.MANIFEST_COMMIT));
        commits.addAll(indexes);
        for (long index : indexes) {
            CommitMerge commit = commitMerge(log.whole(index));
            if (!isVoid(log, commit.getRecord(), commits.headSet(index))) {
                found.add(
                        new Merge(
                                index,
                                log.writtenMillis(index),
                                commit.toBuilder().clearWrites().build()));
            }
        }
        return found;
    }

    /** Whether another record had taken the place of its parent. */
    private static boolean isVoid(
            RegionArchive log, ManifestCommit commit, SortedSet<Long> before) {
        List<Long> newestFirst = new ArrayList<>(before);
        Collections.reverse(newestFirst);
        for (long index : newestFirst) {
            ManifestCommit other = recordOf(log.whole(index));
            if (commit.hasParent() && other.getRecord().equals(commit.getParent())) {
                return false;
            }
            boolean same =
                    commit.hasParent()
                            ? other.hasParent() && other.getParent().equals(commit.getParent())
                            : !other.hasParent();
            if (same) {
                return true;
            }
        }
        return false;
    }

    private static ManifestCommit recordOf(Entry entry) {
        if (entry.getKind() == EntryKind.COMMIT_MERGE) {
            return commitMerge(entry).getRecord();
        }
        try {
            return ManifestCommit.parseFrom(entry.getData());
        } catch (InvalidProtocolBufferException e) {
            throw unreadable(entry, e);
        }
    }

    private static CommitMerge commitMerge(Entry entry) {
        try {
            return CommitMerge.parseFrom(entry.getData());
        } catch (InvalidProtocolBufferException e) {
            throw unreadable(entry, e);
        }
    }

    private static InvariantViolation unreadable(Entry entry, InvalidProtocolBufferException e) {
        return new InvariantViolation(
                "archived entry " + entry.getIndex() + " cannot be read: " + e.getMessage());
    }

    /** Those of one log, in order. */
    List<Merge> of(RegionArchive log) {
        if (!loaded && !log.ofKind(EntryKind.COMMIT_MERGE).isEmpty()) {
            load();
        }
        return byLog.getOrDefault(new LogKey(log.regionId(), log.logId()), List.of());
    }
}
