package io.tidekv.cli.bench.wal;

import io.tidekv.cli.Json;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import org.HdrHistogram.Histogram;
import org.jspecify.annotations.Nullable;

/** Figures of one measurement, filled as they come. */
final class WalReport {
    private static final double MILLION = 1e6;
    private static final Timings NONE = new Timings(new Histogram(3), 1);

    final Map<DiskProbe.Way, Timings> ways = new LinkedHashMap<>();
    final Map<Integer, WalRun.Result> runs = new LinkedHashMap<>();
    Timings fsync = NONE;
    Timings echo = NONE;
    double copyBytesPerSecond;
    WalRun.@Nullable Idle idle;
    private final int nodes;
    private final int size;
    private final int regions;

    WalReport(int nodes, int size, int regions) {
        this.nodes = nodes;
        this.size = size;
        this.regions = regions;
    }

    /** Median of an append over what one sync and one round trip take. */
    private double ratio(Timings timings) {
        return (double) timings.at(50) / Math.max(1, fsync.at(50) + echo.at(50));
    }

    private double bytesPerSecond(Timings timings) {
        return timings.perSecond() * size;
    }

    String json() {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("nodes", nodes);
        json.put("value_size", size);
        json.put("regions", regions);
        json.put("fsync", fsync.json());
        json.put("echo", echo.json());
        json.put("disk_bytes_per_second_of_each_copy", Math.round(copyBytesPerSecond));
        if (!ways.isEmpty()) {
            Map<String, Object> compared = new LinkedHashMap<>();
            ways.forEach((way, timings) -> compared.put(name(way), timings.json()));
            json.put("ways_to_sync", compared);
        }
        Map<String, Object> all = new LinkedHashMap<>();
        runs.forEach((clients, result) -> all.put(Integer.toString(clients), json(result)));
        json.put("clients", all);
        WalRun.Idle unused = idle;
        if (unused != null) {
            Map<String, Object> idleJson = new LinkedHashMap<>();
            idleJson.put("regions", unused.regions());
            idleJson.put("own_seconds", round(unused.rest().ownSeconds()));
            idleJson.put("leader_share_of_a_core", round(unused.rest().leaderShare()));
            idleJson.put("node_share_of_a_core", round(unused.rest().nodeShare()));
            idleJson.put("take_over_seconds", round(unused.takeOverSeconds()));
            json.put("idle", idleJson);
        }
        return Json.line(json);
    }

    private Map<String, Object> json(WalRun.Result result) {
        Timings timings = result.timings();
        Map<String, Object> json = timings.json();
        json.put("p50_over_fsync_and_echo", round(ratio(timings)));
        json.put("bytes_per_second", Math.round(bytesPerSecond(timings)));
        json.put("share_of_disk", round(bytesPerSecond(timings) / copyBytesPerSecond));
        json.put("leader_cpu_s_per_million", round(leaderCpu(result)));
        json.put("nodes_cpu_s_per_million", round(nodesCpu(result)));
        json.put("cpu_s_per_million", round(leaderCpu(result) + nodesCpu(result)));
        json.put("leader_bytes_allocated", Math.round(leaderAllocated(result)));
        json.put("node_bytes_allocated", Math.round(nodeAllocated(result)));
        return json;
    }

    private static double leaderCpu(WalRun.Result result) {
        return result.perAppend(result.leaderCpuSeconds()) * MILLION;
    }

    private static double nodesCpu(WalRun.Result result) {
        return result.perAppend(result.nodesCpuSeconds()) * MILLION;
    }

    private static double leaderAllocated(WalRun.Result result) {
        return result.perAppend(result.leaderAllocated());
    }

    private double nodeAllocated(WalRun.Result result) {
        return result.perAppend(result.nodesAllocated()) / nodes;
    }

    String text() {
        StringBuilder out = new StringBuilder();
        line(out, "%d nodes, %d regions, entries of %d bytes", nodes, regions, size);
        line(out, "append + fdatasync      %s", times(fsync));
        ways.forEach((way, timings) -> line(out, "  %-21s %s", name(way), times(timings)));
        line(out, "gRPC echo               %s", times(echo));
        line(out, "disk, %d synced copies   %.0f MB/s each", nodes, copyBytesPerSecond / MILLION);
        runs.forEach((clients, result) -> text(out, clients, result));
        WalRun.Idle unused = idle;
        if (unused != null) {
            line(
                    out,
                    "%d idle regions, owned in %.2f s: leader %.1f %%, a node %.1f %% of a core;"
                            + " taken over by another store in %.2f s",
                    unused.regions(),
                    unused.rest().ownSeconds(),
                    100 * unused.rest().leaderShare(),
                    100 * unused.rest().nodeShare(),
                    unused.takeOverSeconds());
        }
        return out.toString().stripTrailing();
    }

    private void text(StringBuilder out, int clients, WalRun.Result result) {
        Timings timings = result.timings();
        line(out, "%4d in flight          %s", clients, times(timings));
        line(
                out,
                "    p50 %.2f x (fsync + echo); %.1f MB/s, %.0f %% of the disk",
                ratio(timings),
                bytesPerSecond(timings) / MILLION,
                100 * bytesPerSecond(timings) / copyBytesPerSecond);
        line(
                out,
                "    CPU-s per million: leader %.0f + nodes %.0f; bytes allocated:"
                        + " leader %.0f, node %.0f",
                leaderCpu(result),
                nodesCpu(result),
                leaderAllocated(result),
                nodeAllocated(result));
    }

    private static String times(Timings timings) {
        return String.format(
                Locale.ROOT,
                "%7.0f /s  p50 %.3f ms  p99 %.3f ms",
                timings.perSecond(),
                timings.at(50) / 1e3,
                timings.at(99) / 1e3);
    }

    private static void line(StringBuilder out, String pattern, Object... values) {
        out.append(String.format(Locale.ROOT, pattern, values)).append('\n');
    }

    private static String name(DiskProbe.Way way) {
        return way.name().toLowerCase(Locale.ROOT);
    }

    private static double round(double value) {
        return Math.round(value * 1000) / 1000.0;
    }
}
