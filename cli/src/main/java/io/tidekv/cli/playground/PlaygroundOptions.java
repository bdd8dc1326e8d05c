package io.tidekv.cli.playground;

import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** What a playground is made of. */
final class PlaygroundOptions {
    @Option(names = "--compute", paramLabel = "N", description = "Compute nodes (default 2).")
    int compute = 2;

    @Option(names = "--wal", paramLabel = "N", description = "WAL nodes, odd (default 3).")
    int wal = 3;

    @Option(names = "--pd", paramLabel = "N", description = "PD nodes, 1 or 3 (default 1).")
    int pd = 1;

    @Option(
            names = "--object-store",
            paramLabel = "URI",
            description = {
                "Where data live: file:DIR, or s3://bucket/prefix?endpoint=http://127.0.0.1:9000",
                "(default: a folder in the data folder)."
            })
    @Nullable String objectStore;

    @Option(
            names = "--api-version",
            paramLabel = "1|1ttl|2",
            description = {
                "1: raw and transactional keys, as TiKV's default; 1ttl: raw keys with expiry;",
                "2: both, in keyspaces, with expiry (default 1)."
            })
    @Nullable String apiVersion;

    @Option(
            names = "--data-dir",
            paramLabel = "DIR",
            description = {
                "Keep data here and go on with what is there (default: a temporary folder,",
                "deleted at the end)."
            })
    @Nullable Path dataDir;

    @Option(
            names = "--restore-plan",
            paramLabel = "FILE",
            description = {
                "Begin with what `tidekv ctl recover` or `tidekv ctl backup restore` has",
                "prepared; with the same --object-store and a new --data-dir."
            })
    @Nullable Path restorePlan;

    @Option(
            names = "--set",
            paramLabel = "ROLE.KEY=VALUE",
            description = {
                "A setting of every pd, wal or compute, such as",
                "compute.region.publish-interval=10s. May be repeated."
            })
    Map<String, String> set = new LinkedHashMap<>();

    @Option(
            names = "--host",
            paramLabel = "H",
            description = "Address to listen on (default ${DEFAULT-VALUE}).")
    String host = "127.0.0.1";

    @Option(
            names = "--port-offset",
            paramLabel = "N",
            description = "Added to every port, for a second playground.")
    int portOffset;

    @Option(names = "--processes", description = "A process per role instead of one for all.")
    boolean processes;

    @Option(names = "--keep", description = "Do not delete the temporary data folder.")
    boolean keep;

    @Option(
            names = "--ready-file",
            paramLabel = "FILE",
            description = "Write addresses, ids and process ids there, as JSON, once it serves.")
    @Nullable Path readyFile;
}
