package io.tidekv.cli.playground;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidekv.cli.CliException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DataFolderTest {
    @TempDir private Path temp;

    private final PlaygroundOptions options = new PlaygroundOptions();

    @Test
    void isHeldByOne() throws IOException {
        try (DataFolder first = DataFolder.open(temp, false)) {
            assertThatThrownBy(() -> DataFolder.open(first.path(), false))
                    .isInstanceOf(CliException.class)
                    .hasMessageContaining("another playground uses");
        }
        DataFolder.open(temp, false).close();
    }

    @Test
    void keepsItsMode() throws IOException {
        try (DataFolder folder = DataFolder.open(temp, false)) {
            assertThat(folder.mode(null)).isEqualTo(ApiVersion.V1);
            folder.claim(options, ApiVersion.V1TTL, "file:x");
        }
        try (DataFolder folder = DataFolder.open(temp, false)) {
            assertThat(folder.mode(null)).isEqualTo(ApiVersion.V1TTL);
            assertThat(folder.mode("1ttl")).isEqualTo(ApiVersion.V1TTL);
            assertThatThrownBy(() -> folder.mode("1"))
                    .isInstanceOf(CliException.class)
                    .hasMessageContaining("--api-version 1ttl");
            assertThatThrownBy(() -> folder.claim(options, ApiVersion.V1TTL, "file:y"))
                    .hasMessageContaining("file:x");
            options.wal = 5;
            assertThatThrownBy(() -> folder.claim(options, ApiVersion.V1TTL, "file:x"))
                    .hasMessageContaining("--wal 3");
        }
    }

    @Test
    void aDamagedModeFileIsNamed() throws IOException {
        Files.writeString(temp.resolve("playground.json"), "{");
        try (DataFolder folder = DataFolder.open(temp, false)) {
            assertThatThrownBy(() -> folder.mode(null))
                    .isInstanceOf(CliException.class)
                    .hasMessageContaining("playground.json is damaged");
        }
    }

    @Test
    void aTemporaryOneIsDeletedUnlessKept() throws IOException {
        Path gone;
        try (DataFolder folder = DataFolder.open(null, false)) {
            gone = folder.path();
            Files.createDirectories(gone.resolve("a/b"));
            Files.writeString(gone.resolve("a/b/c"), "x");
        }
        assertThat(gone).doesNotExist();
        Path kept;
        try (DataFolder folder = DataFolder.open(null, true)) {
            kept = folder.path();
        }
        assertThat(kept).isDirectory();
        Files.delete(kept.resolve("playground.lock"));
        Files.delete(kept);
    }

    @Test
    void credentialsAreNotKept() throws IOException {
        String uri = "s3://b/p?endpoint=http://h:9000&access-key=ak&secret-key=sk&region=r";
        try (DataFolder folder = DataFolder.open(temp, false)) {
            folder.claim(options, ApiVersion.V1, uri);
        }
        String file = Files.readString(temp.resolve("playground.json"));
        assertThat(file).doesNotContain("ak&").doesNotContain("=sk").contains("region=r");
    }
}
