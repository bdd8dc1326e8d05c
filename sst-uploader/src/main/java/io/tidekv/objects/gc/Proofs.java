package io.tidekv.objects.gc;

import io.tidekv.objects.gc.ClusterRoots.Cut;
import io.tidekv.objects.gc.ClusterRoots.RegionRoots;
import io.tidekv.objects.gc.RecordReader.Content;
import io.tidekv.objects.manifest.RecordDamaged;
import io.tidekv.objects.manifest.RecordNames;
import io.tidekv.objects.store.ObjectStore.ObjectInfo;
import io.tidekv.objects.store.ObjectStoreException;
import io.tidekv.objects.store.ObjectStoreException.Kind;
import io.tidekv.proto.region.ObjectRef;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The proofs of death of docs/garbage.md, for one reading of the roots. What is dead once is dead
 * for ever. Belongs to one thread.
 */
final class Proofs {
    private final Cut cut;
    private final RecordReader reader;
    private final GcOptions options;
    private final long nowMillis;
    private final Map<String, Item> records;
    private final Set<String> roots = new HashSet<>();
    private final Map<Long, Integer> recordsOf = new HashMap<>();
    private final Set<Long> withFiles;
    private final Set<String> strays = new HashSet<>();

    /** Regions that are part of others, whose leaders say so. */
    private final Set<Long> merged = new HashSet<>();

    /** Files of dead records of a present term, which its owner has dropped since. */
    private final Set<String> replaced = new HashSet<>();

    /**
     * @param records by name, listed after the roots were read
     * @param held names of records that backups hold
     * @param withFiles regions that table files are there of
     * @param nowMillis by the store's clock
     */
    Proofs(
            Cut cut,
            Map<String, Item> records,
            Set<String> held,
            Set<Long> withFiles,
            RecordReader reader,
            GcOptions options,
            long nowMillis) {
        this.cut = cut;
        this.records = records;
        this.withFiles = withFiles;
        this.reader = reader;
        this.options = options;
        this.nowMillis = nowMillis;
        roots.addAll(held);
        for (RegionRoots region : cut.regions().values()) {
            region.pins().forEach(pin -> roots.add(RecordNames.of(pin)));
            strays.addAll(region.strays());
            ObjectRef record = region.record();
            if (record != null) {
                roots.add(RecordNames.of(record));
                Content current = region.settled() ? content(record) : null;
                merged.addAll(current == null ? Set.of() : current.merged());
            }
        }
        merged.removeAll(cut.regions().keySet());
        records.values().forEach(item -> recordsOf.merge(item.region(), 1, Integer::sum));
    }

    boolean isRoot(String record) {
        return roots.contains(record);
    }

    /** Throws {@link CollectionStopped} when the current record of its region cannot be read. */
    boolean isDeadRecord(Item item) {
        if (isRoot(item.name())) {
            return false;
        }
        RegionRoots region = cut.regions().get(item.region());
        if (region == null) {
            return merged.contains(item.region()) || neverBecameARegion(item);
        }
        if (!region.settled()) {
            return false;
        }
        if (above(region.term(), item.term())) {
            // Its term has ended: what was committed in it is in the chain to the current record.
            return true;
        }
        Content current = current(region);
        if (current == null || current.term() != item.term() || region.term() != item.term()) {
            return false;
        }
        Content content = content(item.ref());
        if (content == null || !above(current.sequence(), content.sequence())) {
            return false;
        }
        replaced.addAll(content.files());
        return true;
    }

    /** Of a file that no counting record names; all records have been looked at before. */
    boolean isDeadFile(Item item) {
        if (strays.contains(item.ref().getKey())) {
            return false;
        }
        RegionRoots region = cut.regions().get(item.region());
        if (region == null) {
            return merged.contains(item.region())
                    || (!recordsOf.containsKey(item.region()) && isOld(item.modifiedMillis()));
        }
        if (!region.settled()) {
            return false;
        }
        if (above(region.term(), item.term())) {
            return true;
        }
        Content current = current(region);
        if (current == null || current.term() != item.term() || region.term() != item.term()) {
            return false;
        }
        Item since = uploadsSince(region);
        return replaced.contains(item.name()) || (since != null && isBefore(item, since));
    }

    boolean isOld(long modifiedMillis) {
        return modifiedMillis != ObjectInfo.UNKNOWN_TIME
                && modifiedMillis + options.unknownAge().toMillis() < nowMillis;
    }

    private @Nullable Item published(RegionRoots region) {
        ObjectRef record = region.record();
        return record == null || !region.settled() ? null : records.get(RecordNames.of(record));
    }

    /** What is older will not be published; null when that is not known. */
    private @Nullable Item uploadsSince(RegionRoots region) {
        ObjectRef since = region.uploadsSince();
        return since == null ? published(region) : records.get(RecordNames.of(since));
    }

    private @Nullable Content current(RegionRoots region) {
        ObjectRef record = region.record();
        if (record == null) {
            return null;
        }
        Content content = content(record);
        if (content == null) {
            throw new CollectionStopped(record.getKey() + " was deleted while it was needed");
        }
        return content;
    }

    /**
     * Null when it has been deleted. Throws {@link CollectionStopped} for a damaged one: what it
     * names is not known.
     */
    @Nullable Content content(ObjectRef record) {
        try {
            return reader.read(record);
        } catch (RecordDamaged e) {
            throw new CollectionStopped(
                    e.getMessage() + "; nothing is collected while it is not known what it names",
                    e);
        } catch (ObjectStoreException e) {
            if (e.kind() == Kind.NOT_FOUND) {
                return null;
            }
            throw e;
        }
    }

    /**
     * A first record whose split was given up: the parent has published since, which no owner does
     * while a split of its own is undecided, and knows of no such child; or the parent has become
     * part of its neighbour, which no region does before PD knows all of its children.
     */
    private boolean neverBecameARegion(Item item) {
        boolean alone = recordsOf.getOrDefault(item.region(), 0) == 1;
        if (!alone || withFiles.contains(item.region()) || !isOld(item.modifiedMillis())) {
            return false;
        }
        Content content = content(item.ref());
        if (content != null && merged.contains(content.splitFrom())) {
            return true;
        }
        RegionRoots parent = content == null ? null : cut.regions().get(content.splitFrom());
        Item published = parent == null ? null : published(parent);
        return published != null && isBefore(item, published);
    }

    private boolean isBefore(Item item, Item other) {
        return item.modifiedMillis() != ObjectInfo.UNKNOWN_TIME
                && item.modifiedMillis() + options.margin().toMillis() < other.modifiedMillis();
    }

    static boolean above(long a, long b) {
        return Long.compareUnsigned(a, b) > 0;
    }
}
