package io.tidekv.objects.manifest;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidekv.objects.store.ObjectNames;
import java.util.UUID;
import org.junit.jupiter.api.Test;

class ObjectKeysTest {
    private static final UUID ID = UUID.fromString("00000000-0000-4000-8000-000000000001");

    @Test
    void namesSayRegionTermAndNumber() {
        String sst = ObjectKeys.sst(7, 3, 12, ID);
        assertThat(sst).isEqualTo("sst/7/3-12-00000000-0000-4000-8000-000000000001.sst");
        String record = ObjectKeys.record(-1, 3, 1, ID);
        assertThat(record).startsWith("record/18446744073709551615/3-1-");
        assertThat(ObjectNames.isValid(sst)).isTrue();
        assertThat(ObjectNames.isValid(record)).isTrue();
        assertThat(ObjectKeys.regionOf(sst)).isEqualTo(7);
        assertThat(ObjectKeys.regionOf(record)).isEqualTo(-1);
    }

    @Test
    void otherNamesBelongToNoRegion() {
        for (String name :
                new String[] {"", "sst", "sst/x/1", "sst/1", "pack/1/2", "record/1/2/3"}) {
            assertThat(ObjectKeys.regionOf(name)).as(name).isZero();
        }
    }
}
