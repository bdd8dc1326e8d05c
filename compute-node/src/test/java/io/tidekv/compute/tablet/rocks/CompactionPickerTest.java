package io.tidekv.compute.tablet.rocks;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidekv.compute.tablet.rocks.CompactionPicker.Input;
import io.tidekv.compute.tablet.rocks.CompactionPicker.Pick;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import org.junit.jupiter.api.Test;

class CompactionPickerTest {
    private static final long TABLE = 16L << 20;
    private static final int SPACE = 100_000;

    private final CompactionPicker picker = new CompactionPicker(8, TABLE);
    private long next = 10;

    private static byte[] key(int number) {
        return String.format(Locale.ROOT, "%06d", number).getBytes(StandardCharsets.US_ASCII);
    }

    private Input file(int level, long bytes, int from, int to) {
        return new Input(next++, level, bytes, key(from), key(to), 0, true);
    }

    /** A level of files side by side over the whole space. */
    private List<Input> level(int level, long bytes) {
        int count = (int) Math.max(1, bytes / TABLE);
        List<Input> files = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            int from = (int) ((long) SPACE * i / count);
            int to = (int) ((long) SPACE * (i + 1) / count) - 1;
            files.add(file(level, bytes / count, from, to));
        }
        return files;
    }

    private List<Input> zero(int count, long bytes) {
        List<Input> files = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            files.add(file(0, bytes, 0, SPACE));
        }
        return files;
    }

    @SafeVarargs
    private static List<Input> all(List<Input>... parts) {
        List<Input> all = new ArrayList<>();
        Arrays.asList(parts).forEach(all::addAll);
        return all;
    }

    @Test
    void filesGrowWithTheirLevel() {
        assertThat(tableBytes(zero(8, 4 << 20))).isEqualTo(TABLE);
        assertThat(tableBytes(all(zero(8, 12 << 20), level(6, 64 << 20)))).isEqualTo(40 << 20);
        // One request uploads less than 64 MB.
        assertThat(tableBytes(all(zero(8, 50 << 20), level(6, 3L << 30)))).isEqualTo(56 << 20);
        // A level of which a part is to go on has several files.
        assertThat(tableBytes(all(zero(8, 4 << 20), level(5, 60 << 20), level(6, 512 << 20))))
                .isEqualTo(23 << 20);
    }

    private long tableBytes(List<Input> files) {
        Pick pick = picker.pick(files);
        return picker.tableBytes(files, pick);
    }

    @Test
    void restWhileNothingIsDue() {
        assertThat(picker.pick(List.of())).isNull();
        assertThat(picker.pick(zero(7, 32 << 20))).isNull();
        assertThat(picker.pick(all(zero(7, 1 << 20), level(6, 256 << 20)))).isNull();
        assertThat(picker.pick(all(level(5, 30 << 20), level(6, 256 << 20)))).isNull();
    }

    @Test
    void largeLevelZeroGoesToTheBottomAtOnce() {
        Pick pick = picker.pick(all(zero(8, 32 << 20), level(6, 256 << 20)));
        assertThat(pick).isNotNull();
        assertThat(pick.outputLevel()).isEqualTo(6);
        assertThat(pick.bytes()).isEqualTo(512 << 20);
    }

    @Test
    void smallLevelZeroDoesNotRewriteTheRegion() {
        Pick pick = picker.pick(all(zero(8, 1 << 20), level(6, 256 << 20)));
        assertThat(pick).isNotNull();
        assertThat(pick.outputLevel()).isEqualTo(5);
        assertThat(pick.bytes()).isEqualTo(8 << 20);
    }

    @Test
    void narrowLevelZeroGoesDeepWhereItIs() {
        List<Input> narrow = new ArrayList<>();
        for (int i = 0; i < 8; i++) {
            narrow.add(file(0, 4 << 20, 500, 600));
        }
        Pick pick = picker.pick(all(narrow, level(6, 256 << 20)));
        assertThat(pick).isNotNull();
        assertThat(pick.outputLevel()).isEqualTo(6);
        assertThat(pick.bytes()).isEqualTo((32 << 20) + TABLE);
    }

    @Test
    void outgrownLevelGivesWhatOverlapsLeast() {
        Input cheap = file(5, 20 << 20, 100, 200);
        Input dear = file(5, 20 << 20, 300, 60_000);
        Pick pick = picker.pick(all(List.of(cheap, dear), level(6, 256 << 20)));
        assertThat(pick).isNotNull();
        assertThat(pick.outputLevel()).isEqualTo(6);
        assertThat(pick.inputs()).contains(cheap).doesNotContain(dear);
    }

    @Test
    void tombstonesAndLocalFilesComeFirst() {
        Input plain = file(5, 40 << 20, 0, 20_000);
        Input dead = new Input(next++, 5, 40 << 20, key(30_000), key(50_000), 0.9, true);
        Input away = new Input(next++, 5, 40 << 20, key(60_000), key(80_000), 0.9, false);
        Pick pick = picker.pick(all(List.of(plain, dead, away), level(6, 256 << 20)));
        assertThat(pick).isNotNull();
        assertThat(pick.inputs()).contains(dead).doesNotContain(plain, away);
    }

    @Test
    void whatOverlapsNothingFallsToTheBottom() {
        Input loose = file(3, 40 << 20, 10, 20);
        Pick pick = picker.pick(List.of(loose, file(6, 64 << 20, 50, 60)));
        assertThat(pick).isNotNull();
        assertThat(pick.inputs()).containsExactly(loose);
        assertThat(pick.outputLevel()).isEqualTo(6);
    }

    /** What RocksDB demands: nothing newer stays above, and the output overlaps nothing. */
    @Test
    void inputsAreClosed() {
        long seed = new Random(System.identityHashCode(this)).nextLong();
        System.out.println("picker seed " + seed);
        Random random = new Random(seed);
        int picked = 0;
        for (int i = 0; i < 2000; i++) {
            List<Input> files = random(random);
            Pick pick = picker.pick(files);
            if (pick == null) {
                continue;
            }
            picked++;
            assertClosed(files, pick);
        }
        assertThat(picked).isPositive();
    }

    private static void assertClosed(List<Input> files, Pick pick) {
        int top = pick.inputs().stream().mapToInt(Input::level).min().orElseThrow();
        assertThat(pick.outputLevel()).isGreaterThan(top);
        for (int level = top; level <= pick.outputLevel(); level++) {
            byte[] from = pick.inputs().get(0).smallest();
            byte[] to = from;
            for (Input input : pick.inputs()) {
                if (input.level() < level || level == top) {
                    from =
                            Arrays.compareUnsigned(input.smallest(), from) < 0
                                    ? input.smallest()
                                    : from;
                    to = Arrays.compareUnsigned(input.largest(), to) > 0 ? input.largest() : to;
                }
            }
            for (Input file : files) {
                boolean overlaps =
                        Arrays.compareUnsigned(file.largest(), from) >= 0
                                && Arrays.compareUnsigned(file.smallest(), to) <= 0;
                boolean needed = level == 0 || (level > top && overlaps);
                if (file.level() == level && needed) {
                    assertThat(pick.inputs()).contains(file);
                }
            }
        }
    }

    private List<Input> random(Random random) {
        List<Input> files = new ArrayList<>();
        for (int i = random.nextInt(12); i > 0; i--) {
            int from = random.nextInt(SPACE);
            files.add(file(0, 1 + random.nextInt(64 << 20), from, from + random.nextInt(SPACE)));
        }
        for (int level = 1; level <= 6; level++) {
            int at = random.nextInt(SPACE);
            while (random.nextInt(6) > 0 && at < SPACE) {
                int to = at + random.nextInt(SPACE / 4);
                files.add(file(level, 1 + random.nextInt(64 << 20), at, to));
                at = to + 1 + random.nextInt(SPACE / 8);
            }
        }
        return files;
    }
}
