package io.tidekv.objects.manifest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidekv.objects.manifest.PackCodec.Kind;
import io.tidekv.objects.manifest.PackCodec.Member;
import io.tidekv.objects.store.Checksums;
import io.tidekv.objects.store.MemoryObjectStore;
import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class PackCodecTest {
    private final MemoryObjectStore store = new MemoryObjectStore();
    private final List<Member> members = new ArrayList<>();

    private byte[] pack(int count) {
        Random random = new Random(count);
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        out.writeBytes(PackCodec.header());
        for (int i = 0; i < count; i++) {
            byte[] bytes = new byte[random.nextInt(300)];
            random.nextBytes(bytes);
            Kind kind = i % 3 == 0 ? Kind.RECORD : Kind.TABLE;
            int crc = Checksums.crc32c(bytes);
            members.add(new Member(kind, i, -i, out.size(), bytes.length, crc));
            out.writeBytes(bytes);
        }
        out.writeBytes(PackCodec.footer(members));
        return out.toByteArray();
    }

    private List<Member> read(byte[] pack) {
        store.delete("pack/1-1/x");
        store.putIfAbsent("pack/1-1/x", pack);
        return PackCodec.members(store, "pack/1-1/x", pack.length);
    }

    @Test
    void membersAreFound() {
        assertThat(read(pack(200))).isEqualTo(members);
        members.clear();
        assertThat(read(pack(0))).isEmpty();
    }

    @Test
    void damageIsNoticed() {
        byte[] pack = pack(5);
        int listAt = pack.length - 20 - 5 * 37;
        for (int at = listAt; at < pack.length; at++) {
            byte[] damaged = pack.clone();
            damaged[at] ^= 4;
            assertThatThrownBy(() -> read(damaged))
                    .isInstanceOf(RecordDamaged.class)
                    .hasMessageContaining("pack/1-1/x");
        }
        for (int length = 0; length < pack.length; length++) {
            byte[] cut = Arrays.copyOf(pack, length);
            assertThatThrownBy(() -> read(cut)).isInstanceOf(RecordDamaged.class);
        }
    }
}
