package io.tidekv.compute.conformance;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.tidekv.compute.engine.ApiMode;
import io.tidekv.compute.grpc.KvServer;
import io.tidekv.compute.service.KvSettings;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Properties;
import java.util.TreeMap;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;

/**
 * Replays what a real TiKV answered, for the groups that need only a store, and reports the share
 * of cases passed per file. The shares may only grow: the floors are in
 * conformance-floors.properties.
 */
class ConformanceTest {
    private static final Pattern GROUPS =
            Pattern.compile(
                    "(raw|txn|region|batch-commands|bytes|flashback).*\\.(v1|v1ttl|v2)\\.json");

    /** Cases that end a wait must do so before it ends by itself, however busy the machine. */
    private static final Duration LOCK_WAIT = Duration.ofSeconds(15);

    @Test
    void passesAtLeastTheSharesReachedBefore() throws IOException {
        Path cases = folder();
        Assumptions.assumeTrue(
                Files.isDirectory(cases),
                "SKIPPED: no recorded cases at " + cases + ", so conformance is not checked");
        Map<String, int[]> shares = new TreeMap<>();
        StringBuilder report = new StringBuilder();
        for (Path file : files(cases)) {
            shares.put(name(file), replay(file, report));
        }
        int[] sum = new int[3];
        shares.values()
                .forEach(
                        share -> {
                            for (int i = 0; i < 3; i++) {
                                sum[i] += share[i];
                            }
                        });
        StringBuilder summary = new StringBuilder();
        shares.forEach((file, share) -> summary.append(line(file, share)));
        summary.append(line("all", sum));
        Path out = Path.of("target", "conformance.txt");
        Files.writeString(out, summary.toString() + report);
        System.out.println(summary);

        Properties floors = floors();
        List<String> lost = new ArrayList<>();
        shares.forEach(
                (file, share) -> {
                    String[] floor = floors.getProperty(file, "0 0").split(" ");
                    for (int i = 0; i < 2; i++) {
                        if (share[i] < Integer.parseInt(floor[i])) {
                            lost.add(line(file, share) + "; before " + String.join(" ", floor));
                        }
                    }
                });
        assertThat(lost).as("see %s", out.toAbsolutePath()).isEmpty();
    }

    private static String line(String name, int[] share) {
        return String.format(
                Locale.ROOT, "%-28s %3d %3d of %3d%n", name, share[0], share[1], share[2]);
    }

    private static int[] replay(Path file, StringBuilder report) throws IOException {
        JsonNode root = new ObjectMapper().readTree(file.toFile());
        ApiMode mode = ApiMode.valueOf(root.get("api").textValue().toUpperCase(Locale.ROOT));
        int[] share = new int[3];
        KvSettings settings = KvSettings.of(mode).withLockWait(LOCK_WAIT);
        try (KvServer server = new KvServer(settings)) {
            for (JsonNode theCase : root.get("cases")) {
                Replayer replayer = new Replayer(server, mode);
                List<String> differences = replayer.replay(theCase);
                if (differences.isEmpty()) {
                    share[0] += replayer.unserved() == 0 ? 1 : 0;
                    share[1]++;
                } else {
                    report.append(name(file))
                            .append(' ')
                            .append(theCase.get("name").textValue())
                            .append(": ")
                            .append(shorten(differences))
                            .append('\n');
                }
            }
        }
        share[2] = root.get("cases").size();
        return share;
    }

    private static String shorten(List<String> differences) {
        String text = differences.toString();
        return text.length() < 700 ? text : text.substring(0, 700) + "…";
    }

    private static List<Path> files(Path cases) throws IOException {
        try (Stream<Path> all = Files.list(cases)) {
            return all.filter(file -> GROUPS.matcher(file.getFileName().toString()).matches())
                    .sorted()
                    .toList();
        }
    }

    private static String name(Path file) {
        return file.getFileName().toString().replace(".json", "");
    }

    /** Beside the repository, wherever the build runs from. */
    private static Path folder() {
        String set = System.getProperty("tidekv.conformance.cases");
        if (set != null) {
            return Path.of(set);
        }
        Path at = Path.of("").toAbsolutePath();
        while (at != null && !Files.isDirectory(at.resolve("shared/conformance/cases"))) {
            at = at.getParent();
        }
        return at == null
                ? Path.of("../shared/conformance/cases")
                : at.resolve("shared/conformance/cases");
    }

    private static Properties floors() throws IOException {
        Properties floors = new Properties();
        try (InputStream in =
                ConformanceTest.class.getResourceAsStream("/conformance-floors.properties")) {
            if (in != null) {
                floors.load(in);
            }
        }
        return floors;
    }
}
