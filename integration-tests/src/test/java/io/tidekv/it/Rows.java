package io.tidekv.it;

import java.util.Locale;
import java.util.SplittableRandom;
import org.tikv.shade.com.google.protobuf.ByteString;

/**
 * Order lines in the manner of TPC-H's lineitem, made from their number alone: anybody can say what
 * row n must contain. A row is about {@value #BYTES} bytes. Keys are spread over the whole key
 * space, so that all regions take part.
 */
final class Rows {
    static final int BYTES = 400;

    private static final String[] MODES = {
        "AIR", "FOB", "MAIL", "RAIL", "REG AIR", "SHIP", "TRUCK"
    };
    private static final String[] WORDS = {
        "carefully", "final", "deposits", "sleep", "furiously", "ironic", "packages", "among",
                "pending", "theodolites",
        "quickly", "express", "requests", "boost", "slyly", "regular", "accounts", "haggle",
                "above", "silent"
    };

    private final long seed;

    Rows(long seed) {
        this.seed = seed;
    }

    ByteString key(long row) {
        long spread = Long.reverse(row) ^ (seed * 0x9E3779B97F4A7C15L);
        return ByteString.copyFromUtf8(
                String.format(Locale.ROOT, "lineitem/%016x/%010d", spread, row));
    }

    ByteString value(long row) {
        SplittableRandom random = new SplittableRandom(seed ^ (row * 0xD1B54A32D192ED03L));
        StringBuilder line = new StringBuilder(BYTES + 20);
        line.append(row / 4)
                .append('|')
                .append(random.nextInt(200_000))
                .append('|')
                .append(random.nextInt(10_000));
        line.append('|').append(row % 4 + 1).append('|').append(random.nextInt(1, 51));
        line.append('|')
                .append(random.nextInt(90_000, 10_500_000))
                .append('|')
                .append(random.nextInt(11));
        line.append("|1996-")
                .append(random.nextInt(10, 13))
                .append('-')
                .append(random.nextInt(10, 29));
        line.append('|').append(MODES[random.nextInt(MODES.length)]).append('|');
        while (line.length() < BYTES - 40) {
            line.append(WORDS[random.nextInt(WORDS.length)]).append(' ');
        }
        return ByteString.copyFromUtf8(line.toString());
    }
}
