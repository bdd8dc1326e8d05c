package io.tidekv.objects.gc;

import io.tidekv.objects.gc.Bucket.Pack;
import io.tidekv.objects.gc.ClusterRoots.Cut;
import io.tidekv.objects.gc.ClusterRoots.RegionRoots;
import io.tidekv.objects.gc.RecordReader.Content;
import io.tidekv.objects.manifest.PackCodec;
import io.tidekv.objects.manifest.RecordNames;
import io.tidekv.objects.store.ObjectStore.ObjectInfo;
import io.tidekv.proto.region.ObjectRef;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Tells the living from the dead, for one reading of the roots. Every record counts unless it is
 * proven dead, and every file that a counting record names; a file that none names is dead when its
 * owner can be proven not to publish it any more; a pack when all of its members are dead. Belongs
 * to one thread.
 */
final class Marking {
    private final Cut cut;
    private final Listing listing;
    private final Set<String> held;
    private final Map<String, Item> records = new LinkedHashMap<>();
    private final Map<String, ObjectInfo> recordObjects = new LinkedHashMap<>();
    private final Map<String, Item> files = new LinkedHashMap<>();
    private final Map<String, ObjectInfo> fileObjects = new LinkedHashMap<>();
    private final Set<String> marked = new HashSet<>();
    private final Set<String> deadMembers = new HashSet<>();
    private final Proofs proofs;

    /**
     * What is in the bucket.
     *
     * @param files table files and {@code packs}, listed before the roots were read
     * @param records and {@code packsAfter}, listed after the roots were read
     */
    record Listing(
            List<ObjectInfo> files,
            List<Pack> packs,
            List<ObjectInfo> records,
            List<Pack> packsAfter) {}

    /**
     * @param held names of records that backups hold
     */
    Marking(Cut cut, Listing listing, Set<String> held, RecordReader reader, GcOptions options) {
        this.cut = cut;
        this.listing = listing;
        this.held = held;
        long now = 0;
        for (ObjectInfo info : listing.records()) {
            now = Math.max(now, info.modifiedMillis());
            Item item = Item.whole(info);
            if (item != null) {
                records.put(info.name(), item);
                recordObjects.put(info.name(), info);
            }
        }
        for (Pack pack : listing.packsAfter()) {
            members(pack, PackCodec.Kind.RECORD, records);
        }
        for (ObjectInfo info : listing.files()) {
            now = Math.max(now, info.modifiedMillis());
            Item item = Item.whole(info);
            if (item != null) {
                files.put(info.name(), item);
                fileObjects.put(info.name(), info);
            }
        }
        for (Pack pack : listing.packs()) {
            now = Math.max(now, pack.info().modifiedMillis());
            members(pack, PackCodec.Kind.TABLE, files);
        }
        Set<Long> withFiles = new HashSet<>();
        files.values().forEach(item -> withFiles.add(item.region()));
        proofs = new Proofs(cut, records, held, withFiles, reader, options, now);
    }

    private static void members(Pack pack, PackCodec.Kind kind, Map<String, Item> to) {
        for (PackCodec.Member member : pack.members()) {
            if (member.kind() == kind) {
                Item item = Item.member(pack.info(), member);
                to.put(item.name(), item);
            }
        }
    }

    /** Throws {@link CollectionStopped} when something is not as it must be. */
    Garbage find() {
        checkRoots();
        checkPd();
        List<ObjectInfo> dead = new ArrayList<>();
        records.forEach((name, item) -> record(name, item, dead));
        int deadRecords = dead.size();
        List<ObjectInfo> deadFiles = new ArrayList<>();
        int inFlight = 0;
        for (Map.Entry<String, Item> entry : files.entrySet()) {
            String name = entry.getKey();
            boolean named = marked.contains(name);
            ObjectInfo whole = fileObjects.get(name);
            if (named || !proofs.isDeadFile(entry.getValue())) {
                inFlight += named ? 0 : 1;
            } else if (whole == null) {
                deadMembers.add(name);
            } else {
                deadFiles.add(whole);
            }
        }
        long packedBytes = packs(dead);
        dead.addAll(deadFiles);
        long all = listing.files().stream().mapToLong(ObjectInfo::length).sum();
        all += listing.packs().stream().mapToLong(pack -> pack.info().length()).sum();
        long gone = dead.stream().skip(deadRecords).mapToLong(ObjectInfo::length).sum();
        int unsettled = (int) cut.regions().values().stream().filter(r -> !r.settled()).count();
        return new Garbage(
                dead,
                listing.records().size() - deadRecords,
                listing.files().size() + listing.packs().size() - (dead.size() - deadRecords),
                all - gone,
                packedBytes,
                inFlight,
                unsettled);
    }

    private void record(String name, Item item, List<ObjectInfo> dead) {
        ObjectInfo whole = recordObjects.get(name);
        if (!proofs.isDeadRecord(item)) {
            mark(name, item);
        } else if (whole == null) {
            deadMembers.add(name);
        } else {
            dead.add(whole);
        }
    }

    /**
     * Adds the packs of which every member is dead; returns the bytes of dead members in others.
     */
    private long packs(List<ObjectInfo> dead) {
        Set<String> after = new HashSet<>();
        listing.packsAfter().forEach(pack -> after.add(pack.info().name()));
        long bytes = 0;
        for (Pack pack : listing.packs()) {
            String object = pack.info().name();
            boolean empty = pack.members().isEmpty();
            boolean all = !empty || proofs.isOld(pack.info().modifiedMillis());
            long deadBytes = 0;
            for (PackCodec.Member member : pack.members()) {
                boolean gone = deadMembers.contains(RecordNames.member(object, member.offset()));
                deadBytes += gone ? member.length() : 0;
                all &= gone;
            }
            if (all && after.contains(object)) {
                dead.add(pack.info());
            } else {
                bytes += deadBytes;
            }
        }
        return bytes;
    }

    private void mark(String name, Item item) {
        Content content = proofs.content(item.ref());
        if (content != null) {
            marked.addAll(content.files());
        } else if (proofs.isRoot(name)) {
            throw new CollectionStopped(name + " was deleted while it was needed");
        }
    }

    /** What is rooted must be there. */
    private void checkRoots() {
        for (RegionRoots region : cut.regions().values()) {
            ObjectRef record = region.record();
            if (record != null && !records.containsKey(RecordNames.of(record))) {
                throw new CollectionStopped(
                        "the current record "
                                + RecordNames.of(record)
                                + " is not in the object store: either another collector was"
                                + " faster, or it is lost; run `tidekv sst-uploader scrub`");
            }
            for (ObjectRef pin : region.pins()) {
                String name = RecordNames.of(pin);
                if (!records.containsKey(name) && !hasMovedOn(pin)) {
                    throw new CollectionStopped("the pinned record " + name + " is not there");
                }
            }
        }
        for (String record : held) {
            if (!records.containsKey(record)) {
                throw new CollectionStopped(
                        "the record " + record + ", which a backup holds, is not there");
            }
        }
    }

    /** The report of a parent may be older than its child's, whose first record may be gone. */
    private boolean hasMovedOn(ObjectRef pin) {
        Item first = Item.whole(new ObjectInfo(pin.getKey(), pin.getLength(), 0));
        RegionRoots region = first == null ? null : cut.regions().get(first.region());
        return region != null && region.settled() && !pin.equals(region.record());
    }

    /** PD must not know less than the bucket. */
    private void checkPd() {
        for (Map.Entry<String, Item> entry : files.entrySet()) {
            Item item = entry.getValue();
            RegionRoots region = cut.regions().get(item.region());
            boolean newer = region != null && Proofs.above(item.term(), region.term());
            if (newer || Proofs.above(item.region(), cut.newestId())) {
                throw new CollectionStopped(
                        entry.getKey()
                                + " is newer than anything PD knows of: is this the PD of another"
                                + " cluster, or one that was restored from an older state?");
            }
        }
    }
}
