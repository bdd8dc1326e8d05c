package io.tidekv.common.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SettingsTest {
    enum Mode {
        FAST,
        VERY_SAFE
    }

    record Sample(
            @Setting(value = "127.0.0.1:20190", doc = "Where to listen.") HostPort addr,
            @Setting("400ms") Duration renewPeriod,
            @Setting("very-safe") Mode mode,
            @Setting("a, b") List<String> pdEndpoints,
            @Setting("3") int voters,
            @Setting("true") boolean checks,
            @Setting("0.5") double ratio,
            @Setting("data") Path dataDir,
            @Setting(value = "hunter2", secret = true) String secretKey,
            @Section("About\nstorage.") Storage storage) {}

    record Storage(@Setting("64MB") DataSize segmentSize, @Section Deep deep) {
        Storage {
            if (segmentSize.bytes() < 1024) {
                throw new IllegalArgumentException("storage.segment-size: expected 1KB at least");
            }
        }
    }

    record Deep(@Setting("7") long depth) {}

    @TempDir Path folder;

    private Path toml(String text) throws IOException {
        return Files.writeString(folder.resolve("tidekv.toml"), text);
    }

    private Sample load(String text) throws IOException {
        return Settings.load(Sample.class, toml(text), Map.of());
    }

    private void refused(String text, String... parts) {
        assertThatThrownBy(() -> load(text))
                .isInstanceOf(ConfigException.class)
                .satisfies(e -> assertThat(e.getMessage()).contains(parts).contains("tidekv.toml"));
    }

    @Test
    void defaultsHaveTheTypesOfTheRecord() {
        Sample sample = Settings.defaults(Sample.class);
        assertThat(sample.addr()).isEqualTo(new HostPort("127.0.0.1", 20190));
        assertThat(sample.renewPeriod()).isEqualTo(Duration.ofMillis(400));
        assertThat(sample.mode()).isEqualTo(Mode.VERY_SAFE);
        assertThat(sample.pdEndpoints()).containsExactly("a", "b");
        assertThat(sample.storage().segmentSize()).isEqualTo(DataSize.megabytes(64));
        assertThat(sample.storage().deep().depth()).isEqualTo(7);
    }

    @Test
    void laterSourcesWin() throws IOException {
        Path file = toml("voters = 5\nratio = 1\n[storage]\nsegment-size = \"1MiB\"\n");
        Sample sample =
                Settings.load(Sample.class, file, Map.of("voters", "1", "storage.deep.depth", "2"));
        assertThat(sample.voters()).isEqualTo(1);
        assertThat(sample.ratio()).isEqualTo(1.0);
        assertThat(sample.storage().segmentSize()).isEqualTo(DataSize.megabytes(1));
        assertThat(sample.storage().deep().depth()).isEqualTo(2);
    }

    @Test
    void unknownKeysNameTheNearest() {
        refused("votrs = 1", "unknown key \"votrs\"", "did you mean \"voters\"?");
        refused("[storage]\nsegmentsize = \"1MB\"", "did you mean \"storage.segment-size\"?");
        refused("[storge]", "unknown section \"storge\"", "did you mean \"storage\"?");
        assertThatThrownBy(() -> Settings.load(Sample.class, null, Map.of("adr", "x")))
                .hasMessage("command line: unknown key \"adr\"; did you mean \"addr\"?");
    }

    @Test
    void wrongValuesNameKeyValueAndWhatIsExpected() {
        refused("voters = \"many\"", "voters = \"many\"", "expected a whole number");
        refused("voters = 1.5", "voters = 1.5", "expected a whole number");
        refused("voters = 99999999999", "within ±2^31");
        refused("voters = 123456789012345678901234567890", "expected a whole number");
        refused("renew-period = 400", "renew-period = 400", "\"400ms\"");
        refused("renew-period = \"400\"", "renew-period = \"400\"", "\"400ms\"");
        refused("mode = \"fats\"", "mode = \"fats\"", "one of \"fast\", \"very-safe\"");
        refused("checks = \"yes\"", "true or false");
        refused("pd-endpoints = [1]", "a list of strings");
        refused("addr = \"localhost\"", "an address such as");
        refused("voters = {a = 1}", "voters", "a value, not a table");
        refused("storage = 1", "unknown key \"storage\"");
        refused("[storage]\nsegment-size = 64", "storage.segment-size = 64", "\"64MB\"");
        refused("secret-key = 5", "secret-key = \"<hidden>\"");
    }

    @Test
    void brokenFilesNameThePlace() {
        refused("a = = 1", "tidekv.toml:1:", "not valid TOML");
        refused("voters = 1\nvoters = 2", "not valid TOML");
        assertThatThrownBy(() -> Settings.load(Sample.class, folder.resolve("no"), Map.of()))
                .hasMessageContaining("there is no such file");
    }

    @Test
    void recordsMayRefuseTheirValues() {
        assertThatThrownBy(
                        () ->
                                Settings.load(
                                        Sample.class, null, Map.of("storage.segment-size", "1B")))
                .isInstanceOf(ConfigException.class)
                .hasMessage("storage.segment-size: expected 1KB at least");
    }

    @Test
    void whatIsRenderedLoadsAgainAndHidesSecrets() throws IOException {
        Sample sample = load("data-dir = 'C:\\x \"y\"'\nrenew-period = \"90061001ms\"\n");
        String text = Settings.render(sample);
        assertThat(text).contains("renew-period = \"1d1h1m1s1ms\"").contains("[storage.deep]");
        assertThat(text).contains("secret-key = \"<hidden>\"").doesNotContain("hunter2");
        Sample again = load(text);
        assertThat(again.dataDir()).isEqualTo(sample.dataDir());
        assertThat(again.storage()).isEqualTo(sample.storage());
        assertThat(again.renewPeriod()).isEqualTo(sample.renewPeriod());
    }

    @Test
    void theTemplateExplainsEveryKeyAndLoadsAsItStands() throws IOException {
        String template = Settings.template(Sample.class);
        assertThat(template).contains("## Where to listen.\n# addr = \"127.0.0.1:20190\"");
        assertThat(template).contains("## About\n## storage.\n[storage]");
        assertThat(load(template)).isEqualTo(Settings.defaults(Sample.class));
    }
}
