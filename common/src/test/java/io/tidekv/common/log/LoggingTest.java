package io.tidekv.common.log;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.LoggerContext;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.slf4j.LoggerFactory;

class LoggingTest {
    @TempDir Path folder;

    private final LoggerContext context = (LoggerContext) LoggerFactory.getILoggerFactory();

    @AfterEach
    void restore() {
        LogbackSetup.apply(context, "", false);
    }

    @Test
    void ownLinesFromInfoAndLibrariesFromWarn() throws IOException {
        Path file = folder.resolve("tidekv.log");
        Logging.toFile(file, false);
        LoggerFactory.getLogger("io.tidekv.x").info("ours {}", 1);
        LoggerFactory.getLogger("io.tidekv.x").debug("too much");
        LoggerFactory.getLogger("org.apache.ratis.x").info("theirs");
        java.util.logging.Logger.getLogger("io.grpc.x").warning("by jul");
        java.util.logging.Logger.getLogger("io.grpc.x").info("quiet jul");
        Logging.level("debug");
        LoggerFactory.getLogger("io.tidekv.x").debug("wanted");
        assertThat(Files.readString(file))
                .contains("INFO  [", "io.tidekv.x ours 1", "io.grpc.x by jul", "wanted")
                .doesNotContain("too much", "theirs", "quiet jul");
        assertThat(context.getLogger("io.tidekv").getLevel()).isEqualTo(Level.DEBUG);
    }

    @Test
    void jsonHasOneObjectPerLine() throws IOException {
        Path file = folder.resolve("tidekv.json");
        Logging.toFile(file, true);
        LoggerFactory.getLogger("io.tidekv.x").warn("said \"{}\"", "hello\nworld");
        assertThat(Files.readString(file).strip())
                .startsWith("{")
                .endsWith("}")
                .doesNotContain("\n")
                .contains("\"formattedMessage\":\"said \\\"hello\\nworld\\\"\"");
    }
}
