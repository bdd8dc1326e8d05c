package io.tidekv.house;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** The size budget and the small rules that no compiler checks. */
class TidyTest {
    private static final int MEDIAN_LINES_MAX = 120;
    private static final int P90_LINES_MAX = 400;
    private static final int LINES_MAX = 800;
    private static final Pattern UNFINISHED = Pattern.compile("\\b(TODO|FIXME|XXX)\\b");

    @Test
    void filesAreSmall() {
        List<Integer> sizes = new ArrayList<>();
        List<String> over = new ArrayList<>();
        for (Path file : SourceTree.javaFiles()) {
            int lines = SourceTree.lines(file).size();
            sizes.add(lines);
            if (lines > LINES_MAX) {
                over.add(file + ": " + lines);
            }
        }
        sizes.sort(null);
        assertThat(over)
                .as("files over %d lines: split them by what they are about", LINES_MAX)
                .isEmpty();
        assertThat(sizes.get(sizes.size() / 2))
                .as("median lines of a file")
                .isLessThanOrEqualTo(MEDIAN_LINES_MAX);
        assertThat(sizes.get(sizes.size() * 9 / 10))
                .as("nine in ten files")
                .isLessThanOrEqualTo(P90_LINES_MAX);
    }

    @Test
    void nothingIsLeftForLater() {
        List<String> found = new ArrayList<>();
        for (Path file : SourceTree.javaFiles()) {
            if (file.endsWith("TidyTest.java")) {
                continue;
            }
            List<String> lines = SourceTree.lines(file);
            for (int i = 0; i < lines.size(); i++) {
                if (UNFINISHED.matcher(lines.get(i)).find()) {
                    found.add(file + ":" + (i + 1));
                }
            }
        }
        assertThat(found).as("finish it, or write an issue and say what does not work").isEmpty();
    }

    @Test
    void everyPackageSaysWhatItIsFor() {
        List<Path> silent =
                SourceTree.javaFiles().stream()
                        .map(Path::getParent)
                        .distinct()
                        .filter(p -> p.toString().contains("/src/main/java/"))
                        .filter(p -> !Files.exists(p.resolve("package-info.java")))
                        .toList();
        assertThat(silent).as("packages without package-info.java").isEmpty();
    }

    @Test
    void theArchitecturePageStaysAPage() {
        assertThat(SourceTree.lines(SourceTree.root().resolve("ARCHITECTURE.md")))
                .hasSizeLessThanOrEqualTo(300);
    }
}
