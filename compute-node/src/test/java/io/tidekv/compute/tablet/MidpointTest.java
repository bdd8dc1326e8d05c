package io.tidekv.compute.tablet;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;

class MidpointTest {
    @Test
    void liesBetween() {
        Random random = new Random(5);
        int found = 0;
        for (int i = 0; i < 10_000; i++) {
            byte[] a = key(random);
            byte[] b = key(random);
            byte[] low = Arrays.compareUnsigned(a, b) < 0 ? a : b;
            byte[] high = low == a ? b : a;
            byte[] middle = Midpoint.between(low, high);
            if (middle != null) {
                found++;
                assertThat(Arrays.compareUnsigned(low, middle)).isNegative();
                assertThat(Arrays.compareUnsigned(middle, high)).isNegative();
            }
        }
        assertThat(found).isGreaterThan(9_000);
        assertThat(Midpoint.between(new byte[] {1}, new byte[] {1})).isNull();
        assertThat(Midpoint.between(new byte[] {1}, new byte[] {1, 0})).isNull();
    }

    private static byte[] key(Random random) {
        byte[] key = new byte[random.nextInt(12)];
        random.nextBytes(key);
        for (int i = 0; i < key.length / 2; i++) {
            key[i] = (byte) (random.nextInt(3) == 0 ? 0xFF : 0x74);
        }
        return key;
    }
}
