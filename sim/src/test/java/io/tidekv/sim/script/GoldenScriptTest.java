package io.tidekv.sim.script;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.URISyntaxException;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/**
 * The scripts in {@code src/test/resources/scripts}: what is said between leaders and voters, to be
 * read as documentation. {@code -Dscripts.rewrite=DIR} writes there what is seen now, to be looked
 * at before it becomes what is expected.
 */
class GoldenScriptTest {
    private static List<Path> scripts() throws IOException, URISyntaxException {
        URL folder = GoldenScriptTest.class.getResource("/scripts");
        assertThat(folder).isNotNull();
        try (Stream<Path> files = Files.list(Path.of(folder.toURI()))) {
            return files.sorted().toList();
        }
    }

    @TestFactory
    Stream<DynamicTest> aScriptShowsWhatItSays() throws IOException, URISyntaxException {
        return scripts().stream()
                .map(
                        script ->
                                DynamicTest.dynamicTest(
                                        script.getFileName().toString(), () -> compare(script)));
    }

    private static void compare(Path script) throws IOException {
        String expected = Files.readString(script);
        String seen = Script.replay(expected);
        String rewrite = System.getProperty("scripts.rewrite");
        if (rewrite != null) {
            Files.writeString(Path.of(rewrite).resolve(script.getFileName()), seen);
            return;
        }
        assertThat(seen).isEqualTo(expected);
    }

    @Test
    void thereAreEnough() throws IOException, URISyntaxException {
        assertThat(scripts()).hasSizeGreaterThanOrEqualTo(25);
    }
}
