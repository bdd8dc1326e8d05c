package io.tidekv.common.config;

import java.time.Duration;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Durations as TiKV writes them: {@code 400ms}, {@code 1.5s}, {@code 1h30m}. */
final class DurationText {
    private static final String FORM = "a duration with a unit, such as \"400ms\", \"10s\", \"1h\"";
    private static final Pattern PART = Pattern.compile("(\\d+(?:\\.\\d+)?)(ms|us|ns|d|h|m|s)");
    private static final Map<String, Long> NANOS =
            Map.of(
                    "d", 86_400_000_000_000L,
                    "h", 3_600_000_000_000L,
                    "m", 60_000_000_000L,
                    "s", 1_000_000_000L,
                    "ms", 1_000_000L,
                    "us", 1_000L,
                    "ns", 1L);
    private static final String[] UNITS = {"d", "h", "m", "s", "ms", "us", "ns"};

    private DurationText() {}

    static Duration parse(String text) {
        Matcher matcher = PART.matcher(text.strip().toLowerCase(Locale.ROOT));
        double nanos = 0;
        int end = 0;
        while (end < matcher.regionEnd() && matcher.find(end) && matcher.start() == end) {
            Long unit = NANOS.get(matcher.group(2));
            nanos += Double.parseDouble(matcher.group(1)) * (unit == null ? 0 : unit);
            end = matcher.end();
        }
        if (end == 0 || end != matcher.regionEnd() || nanos >= Long.MAX_VALUE) {
            throw new IllegalArgumentException(FORM);
        }
        return Duration.ofNanos((long) nanos);
    }

    /** In the units of {@link #parse}, greatest first, without zero parts. */
    static String format(Duration duration) {
        long rest = duration.toNanos();
        if (rest == 0) {
            return "0s";
        }
        StringBuilder text = new StringBuilder();
        for (String unit : UNITS) {
            Long nanos = NANOS.get(unit);
            if (nanos != null && rest >= nanos) {
                text.append(rest / nanos).append(unit);
                rest %= nanos;
            }
        }
        return text.toString();
    }
}
