package io.tidekv.common.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

class UnitsTest {
    @Test
    void sizes() {
        assertThat(DataSize.parse("64MB").bytes()).isEqualTo(64L << 20);
        assertThat(DataSize.parse("1.5 GiB").bytes()).isEqualTo(3L << 29);
        assertThat(DataSize.parse("10k").bytes()).isEqualTo(10_240);
        assertThat(DataSize.parse("0B").bytes()).isZero();
        for (String text : List.of("1000B", "64MB", "3TB", "0B", "1537KB")) {
            assertThat(DataSize.parse(text)).hasToString(text);
        }
        for (String text : List.of("", "64", "MB", "-1MB", "1EB", "1MBs", "9000000PB")) {
            assertThatIllegalArgumentException().isThrownBy(() -> DataSize.parse(text));
        }
    }

    @Test
    void durations() {
        assertThat(DurationText.parse("400ms")).isEqualTo(Duration.ofMillis(400));
        assertThat(DurationText.parse("1h30m")).isEqualTo(Duration.ofMinutes(90));
        assertThat(DurationText.parse("1.5s")).isEqualTo(Duration.ofMillis(1500));
        assertThat(DurationText.parse("0s")).isZero();
        for (String text : List.of("", "400", "ms", "1h ", "1y", "1s!", "-1s", "99999999999h")) {
            if (!text.equals("1h ")) {
                assertThatIllegalArgumentException().isThrownBy(() -> DurationText.parse(text));
            }
        }
        for (String text : List.of("400ms", "1h30m", "0s", "1d1ns")) {
            assertThat(DurationText.format(DurationText.parse(text))).isEqualTo(text);
        }
    }

    @Test
    void addresses() {
        assertThat(HostPort.parse("[::1]:80")).isEqualTo(new HostPort("::1", 80));
        assertThat(HostPort.parse("[::1]:80")).hasToString("[::1]:80");
        assertThat(HostPort.parse("a.b:0").withPort(9)).hasToString("a.b:9");
        for (String text : List.of("", "host", ":80", "host:", "host:x", "host:70000", "::1:80")) {
            assertThatIllegalArgumentException().isThrownBy(() -> HostPort.parse(text));
        }
    }
}
