package io.tidekv.objects.gc;

import io.tidekv.objects.manifest.ObjectKeys;
import io.tidekv.objects.manifest.PackCodec;
import io.tidekv.objects.manifest.RecordDamaged;
import io.tidekv.objects.store.ObjectStore;
import io.tidekv.objects.store.ObjectStore.ObjectInfo;
import io.tidekv.objects.store.ObjectStoreException;
import io.tidekv.objects.store.ObjectStoreException.Kind;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What is in a cluster's part of the object store. Belongs to one thread. */
final class Bucket {
    private static final int KEPT_MAX = 20_000;

    private final ObjectStore cluster;
    private final Map<String, List<PackCodec.Member>> known =
            new LinkedHashMap<>(16, 0.75f, true) {
                private static final long serialVersionUID = 1L;

                @Override
                protected boolean removeEldestEntry(
                        Map.Entry<String, List<PackCodec.Member>> eldest) {
                    return size() > KEPT_MAX;
                }
            };

    Bucket(ObjectStore cluster) {
        this.cluster = cluster;
    }

    /** A pack and its members in order. */
    record Pack(ObjectInfo info, List<PackCodec.Member> members) {}

    List<ObjectInfo> list(String prefix) {
        List<ObjectInfo> all = new ArrayList<>();
        cluster.forEach(prefix, all::add);
        return all;
    }

    /**
     * All packs that are there. Throws {@link CollectionStopped} when the list of one is damaged,
     * for a root may lie in it.
     */
    List<Pack> packs() {
        List<Pack> packs = new ArrayList<>();
        for (ObjectInfo info : list(ObjectKeys.PACK_PREFIX)) {
            List<PackCodec.Member> members = members(info);
            if (members != null) {
                packs.add(new Pack(info, members));
            }
        }
        return packs;
    }

    /** Null when it has been deleted. Packs never change. */
    private @Nullable List<PackCodec.Member> members(ObjectInfo info) {
        List<PackCodec.Member> there = known.get(info.name());
        if (there != null) {
            return there;
        }
        try {
            List<PackCodec.Member> members =
                    List.copyOf(PackCodec.members(cluster, info.name(), info.length()));
            known.put(info.name(), members);
            return members;
        } catch (RecordDamaged e) {
            throw new CollectionStopped(
                    e.getMessage() + "; nothing is collected while it is not known what is in it",
                    e);
        } catch (ObjectStoreException e) {
            if (e.kind() == Kind.NOT_FOUND) {
                return null;
            }
            throw e;
        }
    }
}
