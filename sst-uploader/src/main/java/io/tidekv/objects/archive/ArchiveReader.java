package io.tidekv.objects.archive;

import io.tidekv.objects.store.ObjectStore;
import io.tidekv.objects.store.ObjectStore.ObjectInfo;
import io.tidekv.objects.store.ObjectStoreException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * Reads the archive of a cluster. Lists it and reads the footers once; of the rest only what
 * belongs to a region that is asked for. Belongs to one thread.
 */
public final class ArchiveReader {
    private static final int PAGE = 1000;

    private final ObjectStore cluster;
    private final Map<UUID, List<ArchivePart>> nodes = new TreeMap<>();
    private final List<String> problems = new ArrayList<>();
    private final Map<Long, List<Known>> known = new HashMap<>();

    /** An entry that is committed, as something else than its region's log tells. */
    private record Known(long index, long term) {}

    /** A log of a region, and when something of it was stored last. */
    public record Log(long logId, long storedMillis) {}

    private ArchiveReader(ObjectStore cluster) {
        this.cluster = cluster;
    }

    /**
     * Reads all footers of the archive of {@code cluster}, the part of the store that is the
     * cluster's.
     *
     * @param sinceMillis what was stored before, by the store's clock, is left aside
     */
    public static ArchiveReader open(ObjectStore cluster, long sinceMillis) {
        ArchiveReader reader = new ArchiveReader(cluster);
        String after = "";
        List<ObjectInfo> page;
        do {
            page = cluster.list(ArchiveNames.PREFIX, after, PAGE);
            for (ObjectInfo object : page) {
                if (object.modifiedMillis() >= sinceMillis) {
                    reader.add(object);
                }
            }
            after = page.isEmpty() ? after : page.get(page.size() - 1).name();
        } while (page.size() == PAGE);
        return reader;
    }

    private void add(ObjectInfo object) {
        if (ArchiveNames.parse(object.name()) == null) {
            problems.add(object.name() + " is not known here");
            return;
        }
        try {
            ArchivePart part = ArchiveCodec.read(cluster, object);
            // Names are listed in the order of the node's log.
            nodes.computeIfAbsent(part.node(), node -> new ArrayList<>()).add(part);
        } catch (ArchiveException e) {
            problems.add(String.valueOf(e.getMessage()));
        } catch (ObjectStoreException e) {
            passOver(e);
        }
    }

    private void passOver(ObjectStoreException e) {
        boolean lost =
                e.kind() == ObjectStoreException.Kind.CORRUPT
                        || e.kind() == ObjectStoreException.Kind.NOT_FOUND;
        if (!lost) {
            throw e;
        }
        problems.add(String.valueOf(e.getMessage()));
    }

    /**
     * Tells that an entry of a region is committed, and with it all before it. Voters that have
     * left their region do not say so any more. Of no effect on logs that do not have the entry.
     */
    public void committed(long regionId, long index, long term) {
        known.computeIfAbsent(regionId, id -> new ArrayList<>()).add(new Known(index, term));
    }

    /** The parts of each node, in the order of its log. */
    public Map<UUID, List<ArchivePart>> parts() {
        return nodes;
    }

    /** What could not be read so far. */
    public List<String> problems() {
        return List.copyOf(problems);
    }

    /** The regions with anything in the archive. */
    public List<Long> regions() {
        TreeMap<Long, Boolean> found = new TreeMap<>(Long::compareUnsigned);
        nodes.values()
                .forEach(
                        parts ->
                                parts.forEach(
                                        part ->
                                                part.regions()
                                                        .forEach(
                                                                slice ->
                                                                        found.put(
                                                                                slice.regionId(),
                                                                                true))));
        return List.copyOf(found.keySet());
    }

    /** The logs that a region has had, the newest last; more than one after a restore. */
    public List<Log> logs(long regionId) {
        Map<Long, Long> stored = new LinkedHashMap<>();
        for (List<ArchivePart> parts : nodes.values()) {
            for (ArchivePart part : parts) {
                RegionSlice slice = part.region(regionId);
                if (slice != null && slice.logId() != LogIds.UNKNOWN) {
                    stored.merge(slice.logId(), part.storedMillis(), Math::max);
                }
            }
        }
        List<Log> logs = new ArrayList<>();
        stored.forEach((id, millis) -> logs.add(new Log(id, millis)));
        logs.sort(Comparator.comparingLong(Log::storedMillis));
        return logs;
    }

    /**
     * The newest log of a region.
     *
     * @throws ArchiveException UNKNOWN when there is none; CONTRADICTION when two nodes tell
     *     different things
     */
    public RegionArchive region(long regionId) {
        List<Log> logs = logs(regionId);
        if (logs.isEmpty()) {
            throw new ArchiveException(
                    ArchiveException.Kind.UNKNOWN,
                    "nothing of region "
                            + Long.toUnsignedString(regionId)
                            + " is in the archive in "
                            + cluster.describe());
        }
        return region(regionId, logs.get(logs.size() - 1).logId());
    }

    /** One of the {@link #logs} of a region. */
    public RegionArchive region(long regionId, long logId) {
        // What a voter wrote that does not know its log's origin may belong to any of several.
        boolean only = logs(regionId).size() == 1;
        CommitMarks marks = new CommitMarks();
        Map<UUID, List<Read>> read = new LinkedHashMap<>();
        nodes.forEach(
                (node, parts) -> {
                    List<Read> own = new ArrayList<>();
                    for (ArchivePart part : parts) {
                        own.add(read(part, regionId, logId, only, marks));
                    }
                    read.put(node, own);
                });
        for (Known entry : known.getOrDefault(regionId, List.of())) {
            if (read.values().stream().flatMap(List::stream).anyMatch(r -> r.has(entry))) {
                marks.add(entry.index, entry.term);
            }
        }
        marks.check(regionId);
        ProvenLog proven = new ProvenLog(regionId);
        List<NodeReplay> replays = new ArrayList<>();
        read.values().forEach(own -> replays.add(replay(own, marks, proven)));
        long last = proven.isEmpty() ? 0 : proven.last();
        long openSince =
                replays.stream()
                        .flatMap(replay -> replay.open(last).stream())
                        .mapToLong(Copy::wallMillis)
                        .min()
                        .orElse(Long.MAX_VALUE);
        return new RegionArchive(
                cluster,
                regionId,
                logId,
                proven,
                Math.max(last, marks.highest()),
                openSince,
                problems());
    }

    /** A part with the operations of the region, of which there may be none; null: not readable. */
    private record Read(
            ArchivePart part, @Nullable RegionSlice slice, @Nullable List<ArchiveOp> ops) {
        boolean has(Known entry) {
            return ops != null
                    && ops.stream()
                            .anyMatch(
                                    op ->
                                            op instanceof ArchiveOp.Written written
                                                    && written.index() == entry.index
                                                    && written.term() == entry.term);
        }
    }

    private Read read(
            ArchivePart part, long regionId, long logId, boolean only, CommitMarks marks) {
        RegionSlice slice = part.region(regionId);
        boolean wanted =
                slice != null
                        && (slice.logId() == logId || (slice.logId() == LogIds.UNKNOWN && only));
        if (slice == null || !wanted) {
            return new Read(part, null, List.of());
        }
        marks.add(slice.commitIndex(), slice.commitTerm());
        if (slice.opsLength() == 0) {
            return new Read(part, slice, List.of());
        }
        try {
            List<ArchiveOp> ops = ArchiveCodec.ops(cluster, part, slice);
            for (ArchiveOp op : ops) {
                if (op instanceof ArchiveOp.Meta meta) {
                    marks.add(
                            meta.meta().getSnapshot().getIndex(),
                            meta.meta().getSnapshot().getTerm());
                }
            }
            return new Read(part, slice, ops);
        } catch (ArchiveException e) {
            problems.add(String.valueOf(e.getMessage()));
        } catch (ObjectStoreException e) {
            passOver(e);
        }
        return new Read(part, slice, null);
    }

    private static NodeReplay replay(List<Read> own, CommitMarks marks, ProvenLog proven) {
        NodeReplay replay = new NodeReplay(marks, proven);
        ArchivePart before = null;
        for (Read read : own) {
            if (before != null && !before.isFollowedBy(read.part())) {
                replay.gap();
            }
            before = read.part();
            List<ArchiveOp> ops = read.ops();
            RegionSlice slice = read.slice();
            if (ops == null) {
                replay.gap();
            } else if (slice != null) {
                ops.forEach(op -> replay.visit(read.part(), slice, op));
            }
        }
        return replay;
    }
}
