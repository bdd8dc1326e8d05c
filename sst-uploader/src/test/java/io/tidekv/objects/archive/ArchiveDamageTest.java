package io.tidekv.objects.archive;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Every byte of a part is changed in turn; no reader may take it for what it was. */
class ArchiveDamageTest {
    private final ArchiveFixture archive = new ArchiveFixture();
    private String name = "";
    private byte[] bytes = {};

    @BeforeEach
    void store() {
        ArchiveFixture.Part part = archive.part(1, 1).at(1000);
        part.snapshot(7, 0, 0, false);
        for (long index = 1; index <= 5; index++) {
            part.entry(7, index, 1).entry(8, index, 2);
        }
        part.entry(7, 4, 2).entry(7, 5, 2);
        part.committed(7, 5, 2).committed(8, 5, 2).store();
        name = part.name();
        bytes = archive.store.get(name, 1 << 20);
    }

    private void damage(byte[] changed) {
        archive.store.damage(name, changed);
    }

    @Test
    void aChangedByteIsToldOrDoesNotMatter() {
        int told = 0;
        for (int at = 0; at < bytes.length; at++) {
            for (int bit : new int[] {0, 3, 7}) {
                byte[] changed = bytes.clone();
                changed[at] ^= (byte) (1 << bit);
                damage(changed);
                try {
                    List<String> found = ArchiveFixture.read(archive.region(7), 7, 1, 5);
                    assertThat(found).containsExactly("1:1", "2:1", "3:1", "4:2", "5:2");
                } catch (ArchiveException e) {
                    told++;
                }
            }
        }
        assertThat(told).as("most of it matters to region 7").isGreaterThan(bytes.length);
    }

    @Test
    void aPartThatIsCutShortIsTold() {
        for (int length = 0; length < bytes.length; length += 7) {
            damage(java.util.Arrays.copyOf(bytes, length));
            assertThatThrownBy(() -> archive.region(7)).isInstanceOf(ArchiveException.class);
        }
        assertThat(ArchiveReader.open(archive.store, 0).problems()).hasSize(1);
    }

    @Test
    void anotherNodesCopyTakesThePlaceOfADamagedOne() {
        ArchiveFixture.Part other = archive.part(2, 1);
        for (long index = 1; index <= 3; index++) {
            other.entry(7, index, 1);
        }
        other.entry(7, 4, 2).entry(7, 5, 2).committed(7, 5, 2).store();
        for (int at = 0; at < bytes.length; at++) {
            byte[] changed = bytes.clone();
            changed[at] ^= 0x40;
            damage(changed);
            assertThat(ArchiveFixture.read(archive.region(7), 7, 1, 5))
                    .containsExactly("1:1", "2:1", "3:1", "4:2", "5:2");
        }
    }

    @Test
    void aNewerFormatIsNamed() {
        byte[] changed = bytes.clone();
        changed[bytes.length - 9] = 2;
        damage(changed);
        assertThat(ArchiveReader.open(archive.store, 0).problems().get(0))
                .contains("format version is 2, this build reads 1");
    }
}
