package io.tidekv.common.codec;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class CodecTest {
    @ParameterizedTest
    @CsvSource({
        "'', 0000000000000000f7",
        "61, 6100000000000000f8",
        "6162636465666768, 6162636465666768ff0000000000000000f7",
        "616263646566676869, 6162636465666768ff6900000000000000f8",
        "000000, 0000000000000000fa",
    })
    void memcomparableIsAsTikvWritesIt(String raw, String encoded) {
        byte[] key = HexFormat.of().parseHex(raw);
        assertThat(HexFormat.of().formatHex(Memcomparable.encode(key))).isEqualTo(encoded);
        assertThat(Memcomparable.decode(HexFormat.of().parseHex(encoded))).isEqualTo(key);
        assertThat(Memcomparable.encodedLength(key.length)).isEqualTo(encoded.length() / 2);
    }

    @Test
    void memcomparableKeepsTheOrder() {
        Random random = new Random(7);
        for (int i = 0; i < 5_000; i++) {
            byte[] left = bytes(random);
            byte[] right = bytes(random);
            assertThat(
                            Integer.signum(
                                    Arrays.compareUnsigned(
                                            Memcomparable.encode(left),
                                            Memcomparable.encode(right))))
                    .isEqualTo(Integer.signum(Arrays.compareUnsigned(left, right)));
        }
    }

    @Test
    void aSuffixDoesNotDisturbTheOrderOfKeys() {
        byte[] shorter = Memcomparable.encodeWithDesc(ascii("ab"), 0);
        byte[] longer = Memcomparable.encodeWithDesc(ascii("ab\0"), -1L);
        assertThat(Arrays.compareUnsigned(shorter, longer)).isNegative();
    }

    @Test
    void newerVersionsComeFirst() {
        byte[] older = Memcomparable.encodeWithDesc(ascii("a"), 10);
        byte[] newer = Memcomparable.encodeWithDesc(ascii("a"), -2L);
        assertThat(Arrays.compareUnsigned(newer, older)).isNegative();
        assertThat(Ints.lastDesc(newer)).isEqualTo(-2L);
        assertThat(Memcomparable.withoutSuffix(newer)).isEqualTo(Memcomparable.encode(ascii("a")));
    }

    @Test
    void impossibleFormsAreRefused() {
        for (String hex :
                new String[] {
                    "",
                    "61",
                    "6100000000000000",
                    "6100000000000000f7",
                    "6100000000000000f6",
                    "6162636465666768ff",
                    "610000000000000001",
                    "6100000000000000f800"
                }) {
            assertThatThrownBy(() -> Memcomparable.decode(HexFormat.of().parseHex(hex)))
                    .as(hex)
                    .isInstanceOf(CodecException.class);
            assertThat(Memcomparable.isEncoded(HexFormat.of().parseHex(hex))).isFalse();
        }
    }

    @Test
    void recordsComeBackPieceByPiece() {
        byte[] record =
                new ByteWriter(1)
                        .u8(0x50)
                        .compactBytes(ascii("primary"))
                        .varU64(-1L)
                        .varU64(300)
                        .u64(5)
                        .bytes(ascii("xyz"))
                        .toBytes();
        ByteReader in = new ByteReader(record);
        assertThat(in.u8()).isEqualTo(0x50);
        assertThat(in.compactBytes()).isEqualTo(ascii("primary"));
        assertThat(in.varU64()).isEqualTo(-1L);
        assertThat(in.varU64()).isEqualTo(300);
        assertThat(in.u64()).isEqualTo(5);
        assertThat(in.bytes(3)).isEqualTo(ascii("xyz"));
        assertThat(in.isEmpty()).isTrue();
    }

    @Test
    void randomBytesGiveACodecExceptionOrAValue() {
        long seed = 20_261;
        Random random = new Random(seed);
        for (int i = 0; i < 10_000; i++) {
            byte[] bytes = bytes(random);
            try {
                ByteReader in = new ByteReader(bytes);
                in.compactBytes();
                in.count();
                in.varU64();
                in.u64();
            } catch (CodecException e) {
                assertThat(e).hasMessageNotContaining("null");
            }
            try {
                Memcomparable.decode(bytes);
            } catch (CodecException e) {
                assertThat(e.getMessage()).isNotEmpty();
            }
        }
    }

    private static byte[] bytes(Random random) {
        byte[] bytes = new byte[random.nextInt(24)];
        random.nextBytes(bytes);
        for (int i = 0; i < bytes.length; i++) {
            // Many zeros and 0xFF, where the encoding is delicate.
            bytes[i] = random.nextInt(3) == 0 ? (byte) -random.nextInt(2) : bytes[i];
        }
        return bytes;
    }

    private static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.ISO_8859_1);
    }
}
