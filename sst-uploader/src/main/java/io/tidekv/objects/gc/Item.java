package io.tidekv.objects.gc;

import io.tidekv.objects.manifest.ObjectKeys;
import io.tidekv.objects.manifest.PackCodec;
import io.tidekv.objects.manifest.RecordNames;
import io.tidekv.objects.store.ObjectStore.ObjectInfo;
import io.tidekv.proto.region.ObjectRef;
import org.jspecify.annotations.Nullable;

/**
 * A table file or record in the bucket: an object of its own, or a member of a pack.
 *
 * @param ref where it is; without a checksum for an object of its own
 * @param region that made it, in {@code term}
 * @param modifiedMillis when its object was stored, by the store's clock
 */
record Item(ObjectRef ref, long region, long term, long modifiedMillis) {
    /** As {@link RecordNames#of}. */
    String name() {
        return RecordNames.of(ref);
    }

    /** Null for a name that no table file or record has. */
    static @Nullable Item whole(ObjectInfo info) {
        ObjectKeys.Parts parts = ObjectKeys.parse(info.name());
        if (parts == null) {
            return null;
        }
        ObjectRef ref = ObjectRef.newBuilder().setKey(info.name()).setLength(info.length()).build();
        return new Item(ref, parts.regionId(), parts.term(), info.modifiedMillis());
    }

    static Item member(ObjectInfo pack, PackCodec.Member member) {
        return new Item(
                RecordNames.ref(pack.name(), member),
                member.region(),
                member.term(),
                pack.modifiedMillis());
    }
}
