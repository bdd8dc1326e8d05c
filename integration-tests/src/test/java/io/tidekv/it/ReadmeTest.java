package io.tidekv.it;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * What the README tells a first-time user to type, typed. Its other languages run in the client
 * lanes.
 */
class ReadmeTest {
    private static final Pattern BLOCK = Pattern.compile("```(\\w+)\\n(.*?)```", Pattern.DOTALL);

    @TempDir static Path folder;
    private static Playground playground;

    @BeforeAll
    static void start() {
        playground = Playground.start(folder.resolve("cluster"));
    }

    @AfterAll
    static void stop() {
        playground.close();
    }

    @Test
    void theFirstCommandsWork() throws Exception {
        List<String> lines =
                blocks("sh").stream()
                        .filter(block -> block.contains("tidekv put"))
                        .findFirst()
                        .orElseThrow()
                        .lines()
                        .toList();
        assertThat(lines).isNotEmpty();
        for (String line : lines) {
            List<String> words = new ArrayList<>(List.of(line.replace("./tidekv ", "").split(" ")));
            words.addAll(List.of("--pd", playground.pd()));
            Playground.Result result = playground.tidekv(words);
            assertThat(result.code()).as("%s: %s", line, result.output()).isZero();
            if (line.contains(" get ")) {
                assertThat(result.output()).contains("world");
            }
        }
    }

    @Test
    void theJavaExamplePrintsWhatItPut() throws Exception {
        String source = blocks("java").get(0).replace("127.0.0.1:2379", playground.pd());
        Path file = Files.writeString(folder.resolve("Hello.java"), source);
        String classPath = Playground.classPath();
        int compiled =
                ToolProvider.getSystemJavaCompiler()
                        .run(
                                null,
                                null,
                                null,
                                "-cp",
                                classPath,
                                "-d",
                                folder.toString(),
                                file.toString());
        assertThat(compiled).isZero();
        Playground.Result result =
                Playground.run(
                        List.of("-cp", folder + java.io.File.pathSeparator + classPath, "Hello"));
        assertThat(result.output()).contains("world");
        assertThat(result.code()).isZero();
    }

    @Test
    void theFilesItNamesExist() throws IOException {
        Path root = root();
        Matcher links = Pattern.compile("\\]\\((?!http)([^)#]+)\\)").matcher(readme());
        while (links.find()) {
            assertThat(root.resolve(links.group(1))).exists();
        }
    }

    private static List<String> blocks(String language) throws IOException {
        List<String> found = new ArrayList<>();
        Matcher matcher = BLOCK.matcher(readme());
        while (matcher.find()) {
            if (matcher.group(1).equals(language)) {
                found.add(matcher.group(2));
            }
        }
        return found;
    }

    private static String readme() throws IOException {
        return Files.readString(root().resolve("README.md"));
    }

    private static Path root() {
        Path at = Path.of("").toAbsolutePath();
        while (!Files.exists(at.resolve("README.md"))) {
            at = at.getParent();
        }
        return at;
    }
}
