package io.tidekv.common.config;

import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A number of bytes. Units are powers of 1024 whether written KB or KiB, as in TiKV's {@code
 * ReadableSize} (tikv/tikv: components/tikv_util/src/config.rs).
 */
public record DataSize(long bytes) {
    private static final Pattern FORM =
            Pattern.compile("(\\d+(?:\\.\\d+)?)\\s*(B|[KMGTP]i?B?)", Pattern.CASE_INSENSITIVE);
    private static final String UNITS = "KMGTP";

    public DataSize {
        if (bytes < 0) {
            throw new IllegalArgumentException("a size is not negative");
        }
    }

    /** Reads {@code 64MB}, {@code 1.5GiB}, {@code 512B}; throws IllegalArgumentException. */
    public static DataSize parse(String text) {
        Matcher matcher = FORM.matcher(text.strip());
        if (!matcher.matches()) {
            throw new IllegalArgumentException("a size with a unit, such as \"64MB\"");
        }
        int power = UNITS.indexOf(matcher.group(2).toUpperCase(Locale.ROOT).charAt(0)) + 1;
        double bytes = Double.parseDouble(matcher.group(1)) * Math.pow(1024, power);
        if (bytes >= Long.MAX_VALUE) {
            throw new IllegalArgumentException("a size below 8192PB");
        }
        return new DataSize((long) bytes);
    }

    /** {@code megabytes} times 2^20 bytes. */
    public static DataSize megabytes(long megabytes) {
        return new DataSize(Math.multiplyExact(megabytes, 1L << 20));
    }

    /** The size as an int, for buffers; throws when it does not fit. */
    public int intBytes() {
        return Math.toIntExact(bytes);
    }

    /** In the greatest unit that keeps it exact; {@link #parse} reads it back. */
    @Override
    public String toString() {
        int power = 0;
        long value = bytes;
        while (value != 0 && value % 1024 == 0 && power < UNITS.length()) {
            value /= 1024;
            power++;
        }
        return power == 0 ? value + "B" : value + UNITS.substring(power - 1, power) + "B";
    }
}
