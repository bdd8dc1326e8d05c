package io.tidekv.objects;

import io.tidekv.objects.manifest.PackCodec;
import io.tidekv.objects.manifest.RecordNames;
import io.tidekv.objects.store.Checksums;
import io.tidekv.proto.region.ObjectRef;
import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.List;

/** A pack that is being filled. */
public final class TestPacks {
    private final String name;
    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    private final List<PackCodec.Member> members = new ArrayList<>();

    /**
     * @param name below the cluster's prefix
     */
    public TestPacks(String name) {
        this.name = name;
        bytes.writeBytes(PackCodec.header());
    }

    public boolean isEmpty() {
        return members.isEmpty();
    }

    public String name() {
        return name;
    }

    public ObjectRef add(PackCodec.Kind kind, long region, long term, byte[] member) {
        PackCodec.Member placed =
                new PackCodec.Member(
                        kind, region, term, bytes.size(), member.length, Checksums.crc32c(member));
        bytes.writeBytes(member);
        members.add(placed);
        return RecordNames.ref(name, placed);
    }

    /** The whole object. */
    public byte[] sealed() {
        ByteArrayOutputStream whole = new ByteArrayOutputStream();
        whole.writeBytes(bytes.toByteArray());
        whole.writeBytes(PackCodec.footer(members));
        return whole.toByteArray();
    }
}
