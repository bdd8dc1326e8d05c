package io.tidekv.objects.backup;

import com.google.protobuf.ByteString;
import io.tidekv.common.Randomness;
import io.tidekv.objects.gc.CollectionStopped;
import io.tidekv.objects.manifest.RecordCodec;
import io.tidekv.objects.manifest.RecordNames;
import io.tidekv.objects.store.ObjectStore;
import io.tidekv.objects.store.ObjectStore.ObjectInfo;
import io.tidekv.objects.store.ObjectStoreException;
import io.tidekv.objects.store.ObjectStoreException.Kind;
import io.tidekv.proto.manifest.ColumnFamily;
import io.tidekv.proto.manifest.SstFile;
import io.tidekv.proto.manifest.TabletRecord;
import io.tidekv.proto.region.ObjectRef;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** The backups of one cluster, as objects {@code meta/backup/<name>}. Thread-safe. */
public final class Backups {
    static final String PREFIX = "meta/backup/";
    private static final String INTENT = "meta/backup-intent/";

    /** The longest time to make one, by the store's clock. */
    private static final Duration MAKING_MAX = Duration.ofMinutes(20);

    /** After this time nobody waits for one that is being made; far above the longest. */
    private static final Duration INTENT_MAX = Duration.ofHours(1);

    private static final long BYTES_MAX = 256L << 20;

    private final ObjectStore cluster;
    private final Randomness randomness;

    /**
     * @param cluster the cluster's view of the object store
     */
    public Backups(ObjectStore cluster, Randomness randomness) {
        this.cluster = cluster;
        this.randomness = randomness;
    }

    /**
     * Holds the states that {@code source} has of all regions. While it is being made nothing is
     * collected. Throws {@link CollectionStopped} when they cannot be had, or when it took too
     * long.
     */
    public BackupSet create(String name, long clusterId, CutSource source) {
        return create(name, clusterId, 0, source);
    }

    /** As {@link #create(String, long, CutSource)}, for a new cluster that reads what is held. */
    public BackupSet hold(String name, long clusterId, long branchId, CutSource source) {
        return create(name, clusterId, branchId, source);
    }

    private BackupSet create(String name, long clusterId, long branchId, CutSource source) {
        if (!name.matches("[A-Za-z0-9][A-Za-z0-9._=-]{0,99}")) {
            throw new IllegalArgumentException(
                    "a backup's name has up to 100 letters, digits and . _ = -");
        }
        if (cluster.head(PREFIX + name) != null) {
            throw new CollectionStopped("there is a backup or branch " + name + " already");
        }
        String intent = INTENT + randomness.nextUuid();
        try {
            // Before anything is read: collectors delete nothing while it is there.
            CutSource.Cut cut = source.take(() -> cluster.putIfAbsent(intent, new byte[0]));
            long began = dated(intent);
            List<BackupSet.Region> regions = new ArrayList<>();
            for (ObjectRef record : cut.records()) {
                regions.add(look(record));
            }
            regions.sort(Comparator.comparing(BackupSet.Region::startHex));
            BackupSet set = new BackupSet(name, clusterId, began, cut.ts(), branchId, regions);
            cluster.putIfAbsent(PREFIX + name, set.encode());
            if (isVoid(set, dated(PREFIX + name))) {
                cluster.delete(PREFIX + name);
                throw new CollectionStopped(
                        "the backup took so long that its first records may be gone: try again");
            }
            return set;
        } finally {
            cluster.delete(intent);
        }
    }

    /** One that was stored so late that its intent may have been passed over holds nothing. */
    private static boolean isVoid(BackupSet set, long storedMillis) {
        return storedMillis - set.createdMillis() > MAKING_MAX.toMillis();
    }

    private long dated(String name) {
        ObjectInfo info = cluster.head(name);
        if (info == null || info.modifiedMillis() == ObjectInfo.UNKNOWN_TIME) {
            throw new CollectionStopped("the object store does not date " + name);
        }
        return info.modifiedMillis();
    }

    private BackupSet.Region look(ObjectRef ref) {
        TabletRecord record =
                RecordCodec.decode(RecordNames.of(ref), RecordCodec.read(cluster, ref));
        long region = record.getShape().getRegionId();
        if (record.getFlashbackStartTs() != 0) {
            throw new CollectionStopped(
                    "region " + region + " is shut for a flashback: try again when that is over");
        }
        long bytes = 0;
        for (ColumnFamily family : record.getColumnFamiliesList()) {
            bytes += family.getFilesList().stream().mapToLong(SstFile::getSize).sum();
        }
        return new BackupSet.Region(
                region,
                hex(record.getShape().getStartKey()),
                hex(record.getShape().getEndKey()),
                record.getAppliedIndex(),
                record.getMaxCommitTs(),
                bytes,
                ref);
    }

    private static String hex(ByteString key) {
        return HexFormat.of().formatHex(key.toByteArray());
    }

    /** All backups, by name. A damaged one is named in the exception. */
    public List<BackupSet> list() {
        List<BackupSet> all = new ArrayList<>();
        for (ObjectInfo info : cluster.list(PREFIX, "", 100_000)) {
            BackupSet set = read(info);
            if (set != null) {
                all.add(set);
            }
        }
        return all;
    }

    /** Null when there is no such backup. */
    public @Nullable BackupSet find(String name) {
        ObjectInfo info = cluster.head(PREFIX + name);
        return info == null ? null : read(info);
    }

    /** Null when it was deleted, or came too late. */
    private @Nullable BackupSet read(ObjectInfo info) {
        String object = info.name();
        byte[] bytes;
        try {
            bytes = cluster.get(object, BYTES_MAX);
        } catch (ObjectStoreException e) {
            if (e.kind() == Kind.NOT_FOUND) {
                return null;
            }
            throw e;
        }
        BackupSet set = BackupSet.decode(bytes);
        if (set == null) {
            throw new CollectionStopped(
                    object
                            + " is damaged: what it holds is not known, so nothing is collected;"
                            + " delete it if it is not needed");
        }
        return isVoid(set, info.modifiedMillis()) ? null : set;
    }

    /** As {@link io.tidekv.objects.gc.HeldRecords#read}. */
    public Set<String> held(long nowMillis) {
        for (ObjectInfo intent : cluster.list(INTENT, "", 10_000)) {
            if (intent.modifiedMillis() > nowMillis - INTENT_MAX.toMillis()) {
                throw new CollectionStopped("a backup is being made: nothing is deleted meanwhile");
            }
        }
        Set<String> held = new LinkedHashSet<>();
        for (BackupSet set : list()) {
            set.records().forEach(record -> held.add(RecordNames.of(record)));
        }
        return held;
    }

    /** Lets go of what only this backup holds; false when there is no such backup. */
    public boolean delete(String name) {
        if (cluster.head(PREFIX + name) == null) {
            return false;
        }
        cluster.delete(PREFIX + name);
        return true;
    }
}
