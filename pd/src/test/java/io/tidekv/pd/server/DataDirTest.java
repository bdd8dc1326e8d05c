package io.tidekv.pd.server;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DataDirTest {
    @TempDir Path temp;

    @Test
    void belongsToOneNodeAndOneProcess() throws IOException {
        try (DataDir held = DataDir.open(temp.resolve("pd"), "a")) {
            assertThatThrownBy(() -> DataDir.open(temp.resolve("pd"), "a"))
                    .hasMessageContaining("in use by another PD");
            Files.createDirectories(held.raft());
        }
        DataDir.open(temp.resolve("pd"), "a").close();
        assertThatThrownBy(() -> DataDir.open(temp.resolve("pd"), "b"))
                .hasMessageContaining("belongs to the PD node a, not to b");
    }

    @Test
    void refusesForeignFolders() throws IOException {
        Files.writeString(temp.resolve("photo.jpg"), "x");
        assertThatThrownBy(() -> DataDir.open(temp, "a"))
                .hasMessageContaining("holds files that are not PD's");
        Path damaged = Files.createDirectories(temp.resolve("damaged"));
        Files.writeString(damaged.resolve("tidekv-pd"), "something");
        assertThatThrownBy(() -> DataDir.open(damaged, "a")).hasMessageContaining("damaged");
        assertThatThrownBy(() -> DataDir.open(temp.resolve("photo.jpg"), "a"))
                .hasMessageContaining("is not a folder");
    }
}
