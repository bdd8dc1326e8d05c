package io.tidekv.objects.manifest;

import io.tidekv.objects.store.Checksums;
import io.tidekv.objects.store.ObjectStore;
import io.tidekv.objects.store.ObjectStore.ObjectInfo;
import io.tidekv.proto.region.ObjectRef;
import org.jspecify.annotations.Nullable;

/**
 * Short names of what is referred to: that of the object, or that of a pack and where the member
 * begins, {@code pack/…@1234}. A name leads to one thing for ever, as objects never change.
 */
public final class RecordNames {
    private RecordNames() {}

    /** The name of what is referred to. */
    public static String of(ObjectRef ref) {
        return member(ref.getKey(), ref.getOffset());
    }

    /** The name of what begins at {@code offset} of an object. */
    public static String member(String object, long offset) {
        return ObjectKeys.isPack(object) ? object + "@" + offset : object;
    }

    /** The object in a name. */
    public static String object(String name) {
        int at = name.lastIndexOf('@');
        return ObjectKeys.isPack(name) && at > 0 ? name.substring(0, at) : name;
    }

    /** The reference to a member of a pack. */
    public static ObjectRef ref(String pack, PackCodec.Member member) {
        return ObjectRef.newBuilder()
                .setKey(pack)
                .setOffset(member.offset())
                .setLength(member.length())
                .setCrc32C(member.crc32c())
                .build();
    }

    /**
     * The reference that a name stands for; null when there is no such object or member. Throws
     * {@link RecordDamaged} for a damaged pack.
     */
    public static @Nullable ObjectRef find(ObjectStore store, String name) {
        String object = object(name);
        ObjectInfo info = store.head(object);
        if (info == null) {
            return null;
        }
        if (!ObjectKeys.isPack(object)) {
            byte[] bytes = store.get(object, RecordCodec.BYTES_MAX);
            return ObjectRef.newBuilder()
                    .setKey(object)
                    .setLength(bytes.length)
                    .setCrc32C(Checksums.crc32c(bytes))
                    .build();
        }
        for (PackCodec.Member member : PackCodec.members(store, object, info.length())) {
            if (member(object, member.offset()).equals(name)) {
                return ref(object, member);
            }
        }
        return null;
    }
}
