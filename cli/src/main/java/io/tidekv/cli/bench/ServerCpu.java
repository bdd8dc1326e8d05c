package io.tidekv.cli.bench;

import com.fasterxml.jackson.databind.JsonNode;
import io.tidekv.cli.CliException;
import io.tidekv.cli.Json;
import io.tidekv.cli.client.PdClient;
import io.tidekv.proto.metapb.Store;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * CPU seconds that the servers have used, by role. From the process ids of a ready file, or,
 * without one, from the metrics of PD and of the stores (WAL nodes are not counted then).
 */
abstract class ServerCpu {
    private static final double TICKS_PER_SECOND = 100;
    private static final int REST_CHECKS = 15;

    /** Seconds since each process began, summed by role. Roles that cannot be read are left out. */
    abstract Map<String, Double> read();

    static ServerCpu of(@Nullable Path readyFile, PdClient pd) {
        return readyFile == null ? new ByMetrics(pd) : new ByPid(readyFile);
    }

    /** Of processes that all have one role. */
    static ServerCpu of(String role, List<Long> pids) {
        ByPid cpu = new ByPid();
        pids.forEach(pid -> cpu.add(pid, role));
        return cpu;
    }

    /** What was used between two readings, by role. */
    static Map<String, Double> between(Map<String, Double> before, Map<String, Double> after) {
        Map<String, Double> used = new LinkedHashMap<>();
        after.forEach(
                (role, seconds) -> {
                    Double then = before.get(role);
                    if (then != null) {
                        used.put(role, Math.max(0, seconds - then));
                    }
                });
        return used;
    }

    /** Until they are done with what was asked of them: two seconds cost less than one of CPU. */
    void awaitRest() throws InterruptedException {
        for (int i = 0; i < REST_CHECKS; i++) {
            Map<String, Double> before = read();
            new CountDownLatch(1).await(2, TimeUnit.SECONDS);
            Map<String, Double> used = between(before, read());
            if (used.values().stream().mapToDouble(Double::doubleValue).sum() < 1) {
                return;
            }
        }
    }

    private static final class ByPid extends ServerCpu {
        private final Map<Long, String> roles = new LinkedHashMap<>();

        ByPid() {}

        ByPid(Path readyFile) {
            try {
                JsonNode json = Json.read(Files.readString(readyFile, StandardCharsets.UTF_8));
                json.path("pd_pids").forEach(pid -> add(pid.asLong(), "pd"));
                json.path("wal").forEach(node -> add(node.path("pid").asLong(), "wal"));
                json.path("compute").forEach(node -> add(node.path("pid").asLong(), "compute"));
            } catch (NoSuchFileException e) {
                throw new CliException("there is no ready file " + readyFile, e);
            } catch (IOException | IllegalArgumentException e) {
                throw new CliException(readyFile + " is no ready file of a playground", e);
            }
        }

        /** A process with several roles counts once, as all of them. */
        private void add(long pid, String role) {
            roles.merge(pid, role, (a, b) -> a.equals(b) ? a : "all");
        }

        @Override
        Map<String, Double> read() {
            Map<String, Double> seconds = new LinkedHashMap<>();
            roles.forEach(
                    (pid, role) -> {
                        double used = ofProcess(pid);
                        if (used >= 0) {
                            seconds.merge(role, used, Double::sum);
                        }
                    });
            return seconds;
        }

        private static double ofProcess(long pid) {
            Path stat = Path.of("/proc", Long.toString(pid), "stat");
            try {
                String text = Files.readString(stat, StandardCharsets.ISO_8859_1);
                // The name of the program stands in brackets and may hold spaces.
                String[] fields = text.substring(text.lastIndexOf(')') + 2).split(" ");
                return (Long.parseLong(fields[11]) + Long.parseLong(fields[12])) / TICKS_PER_SECOND;
            } catch (IOException e) {
                return -1;
            }
        }
    }

    private static final class ByMetrics extends ServerCpu {
        private final List<String[]> pages = new ArrayList<>();

        ByMetrics(PdClient pd) {
            pages.add(new String[] {"pd", pd.leaderAddress()});
            for (Store store : pd.stores()) {
                pages.add(new String[] {"compute", store.getStatusAddress()});
            }
        }

        @Override
        Map<String, Double> read() {
            Map<String, Double> byProcess = new LinkedHashMap<>();
            Map<String, Double> seconds = new LinkedHashMap<>();
            for (String[] page : pages) {
                MetricsPage shown = MetricsPage.of(page[1]);
                Double used = shown.value("process_cpu_seconds_total");
                // Roles in one process show the same start; they count once.
                String process = String.valueOf(shown.value("process_start_time_seconds"));
                if (used != null && byProcess.put(process, used) == null) {
                    seconds.merge(page[0], used, Double::sum);
                }
            }
            return seconds;
        }
    }
}
