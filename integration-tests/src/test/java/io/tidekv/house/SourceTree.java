package io.tidekv.house;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/** The repository's files, found from the folder in which the tests run. */
final class SourceTree {
    private SourceTree() {}

    static Path root() {
        Path folder = Path.of("").toAbsolutePath();
        while (!Files.isDirectory(folder.resolve(".mvn"))) {
            folder = folder.getParent();
            if (folder == null) {
                throw new IllegalStateException("run the tests inside the repository");
            }
        }
        return folder;
    }

    /** Hand-written Java files of all modules, main and test. */
    static List<Path> javaFiles() {
        return files().filter(p -> p.toString().endsWith(".java")).toList();
    }

    static Stream<Path> files() {
        Path root = root();
        try (Stream<Path> walk = Files.walk(root)) {
            return walk
                    .filter(p -> !isGenerated(root.relativize(p)))
                    .filter(Files::isRegularFile)
                    .toList()
                    .stream();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static List<String> lines(Path file) {
        try {
            return Files.readAllLines(file, StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(file.toString(), e);
        }
    }

    private static boolean isGenerated(Path path) {
        for (Path part : path) {
            if (part.toString().equals("target") || part.toString().equals(".git")) {
                return true;
            }
        }
        return false;
    }
}
