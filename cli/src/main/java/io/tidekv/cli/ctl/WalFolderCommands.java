package io.tidekv.cli.ctl;

import io.tidekv.cli.Console;
import io.tidekv.cli.Json;
import io.tidekv.wal.core.VoterStorage.Recovered;
import io.tidekv.wal.storage.DiskWalFiles;
import io.tidekv.wal.storage.FolderCheck;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code tidekv ctl wal check} and {@code dump}: the folder of a WAL node that does not run. */
final class WalFolderCommands {
    private WalFolderCommands() {}

    @Command(
            name = "check",
            description = {
                "Read the folder of a WAL node that does not run, and change nothing.",
                "Ends with 1 when it is damaged."
            })
    static final class Check implements Callable<Integer> {
        @Option(names = "--dir", required = true, description = "The node's data-dir.")
        private Path dir = Path.of("");

        @Option(names = "--regions", description = "List the regions as well.")
        private boolean listRegions;

        @Spec private @Nullable CommandSpec spec;

        private final Console console;

        Check(Console console) {
            this.console = console;
        }

        @Override
        public Integer call() throws IOException {
            FolderCheck.Findings found =
                    FolderCheck.run(new DiskWalFiles(dir), new FolderCheck.Listener() {});
            if (CtlOptions.of(spec).json()) {
                console.line(Json.line(json(found)));
            } else {
                print(found);
            }
            return found.damages().isEmpty() ? 0 : 1;
        }

        private void print(FolderCheck.Findings found) {
            console.line(
                    String.format(
                            Locale.ROOT,
                            "node %s (id %s of cluster %s): %d segments, %d bytes, %d batches,"
                                    + " %d records, %d regions",
                            found.identity().uuid(),
                            Long.toUnsignedString(found.identity().walId()),
                            Long.toUnsignedString(found.identity().clusterId()),
                            found.segments(),
                            found.bytes(),
                            found.batches(),
                            found.records(),
                            found.regions().size()));
            found.remarks().forEach(remark -> console.line("remark: " + remark));
            found.damages().forEach(damage -> console.line("damage: " + damage));
            if (found.damages().isEmpty()) {
                console.line("no damage");
            }
            if (listRegions && !found.regions().isEmpty()) {
                Table table = new Table("REGION", "TERM", "OWNER", "SNAPSHOT", "LAST");
                for (Recovered region : found.regions()) {
                    table.row(
                            region.regionId(),
                            region.meta().getTerm(),
                            region.meta().getOwner().getStoreId()
                                    + "/"
                                    + region.meta().getOwner().getIncarnation(),
                            region.meta().getSnapshot().getIndex(),
                            region.lastIndex());
                }
                console.line(table.toString());
            }
        }

        private Map<String, Object> json(FolderCheck.Findings found) {
            Map<String, Object> json = new LinkedHashMap<>();
            json.put("uuid", found.identity().uuid().toString());
            json.put("wal_id", Json.unsigned(found.identity().walId()));
            json.put("cluster_id", Json.unsigned(found.identity().clusterId()));
            json.put("segments", found.segments());
            json.put("bytes", found.bytes());
            json.put("batches", found.batches());
            json.put("records", found.records());
            json.put("damages", found.damages());
            json.put("remarks", found.remarks());
            if (listRegions) {
                json.put("regions", found.regions().stream().map(Check::json).toList());
            }
            return json;
        }

        private static Map<String, Object> json(Recovered region) {
            Map<String, Object> json = new LinkedHashMap<>();
            json.put("region_id", region.regionId());
            json.put("term", region.meta().getTerm());
            json.put("store_id", region.meta().getOwner().getStoreId());
            json.put("incarnation", region.meta().getOwner().getIncarnation());
            json.put("snapshot_index", region.meta().getSnapshot().getIndex());
            json.put("last_index", region.lastIndex());
            return json;
        }
    }

    @Command(
            name = "dump",
            description = {
                "Print the records of a WAL node that does not run, one a line, without user data.",
                "Goes on behind damage; ends with 1 when there is some."
            })
    static final class Dump implements Callable<Integer> {
        @Option(names = "--dir", required = true, description = "The node's data-dir.")
        private Path dir = Path.of("");

        @Option(names = "--region", description = "Only the records of this region.")
        private long regionId;

        private final Console console;

        Dump(Console console) {
            this.console = console;
        }

        @Override
        public Integer call() throws IOException {
            List<String> damages =
                    FolderCheck.run(new DiskWalFiles(dir), new Lines(console, regionId)).damages();
            console.out().flush();
            damages.forEach(damage -> console.note("damage: " + damage));
            return damages.isEmpty() ? 0 : 1;
        }
    }

    /** A line for each thing. */
    private record Lines(Console console, long regionId) implements FolderCheck.Listener {
        @Override
        public void segment(String file, long bytes, long firstBatch) {
            line("segment %s bytes=%d first-batch=%d", file, bytes, firstBatch);
        }

        @Override
        public void batch(String file, long offset, long number, int bytes) {
            if (regionId == 0) {
                line("  batch %d at=%d bytes=%d", number, offset, bytes);
            }
        }

        @Override
        public void record(
                String file,
                long offset,
                String kind,
                long region,
                long index,
                long term,
                int bytes) {
            if (regionId == 0 || regionId == region) {
                line(
                        "    %s at=%d region=%d index=%d term=%d bytes=%d",
                        kind, offset, region, index, term, bytes);
            }
        }

        private void line(String pattern, Object... values) {
            console.out().println(String.format(Locale.ROOT, pattern, values));
        }
    }
}
