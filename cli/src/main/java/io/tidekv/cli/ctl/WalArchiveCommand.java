package io.tidekv.cli.ctl;

import io.tidekv.cli.CliException;
import io.tidekv.cli.Console;
import io.tidekv.cli.Json;
import io.tidekv.objects.archive.ArchivePart;
import io.tidekv.objects.archive.ArchivePruner;
import io.tidekv.objects.archive.ArchiveReader;
import io.tidekv.objects.archive.ArchivedEntry;
import io.tidekv.objects.archive.RegionArchive;
import io.tidekv.objects.store.ObjectStore;
import io.tidekv.objects.store.ObjectStore.ObjectInfo;
import java.time.Duration;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code tidekv ctl wal archive}. Asks no PD and no WAL node. */
@Command(
        name = "archive",
        description = "The archive of the log in the object store.",
        subcommands = {
            WalArchiveCommand.ListParts.class,
            WalArchiveCommand.Dump.class,
            WalArchiveCommand.Prune.class,
        })
final class WalArchiveCommand implements Runnable {
    @Spec private @Nullable CommandSpec spec;

    @Override
    public void run() {
        Usage.show(spec);
    }

    private static String date(long millis) {
        return millis == 0 ? "-" : Instant.ofEpochMilli(millis).toString();
    }

    private static void tell(Console console, List<String> problems) {
        problems.forEach(problem -> console.note("problem: " + problem));
    }

    @Command(
            name = "list",
            description = {
                "List what each WAL node has archived.",
                "Ends with 1 when something cannot be read."
            })
    static final class ListParts implements Callable<Integer> {
        @Mixin private ClusterOption cluster = new ClusterOption();
        @Mixin private ObjectsOption objects = new ObjectsOption();
        @Spec private @Nullable CommandSpec spec;

        private final Console console;

        ListParts(Console console) {
            this.console = console;
        }

        @Override
        public Integer call() {
            try (ObjectStore store = objects.open()) {
                ArchiveReader reader = ArchiveReader.open(cluster.of(store), 0);
                if (CtlOptions.of(spec).json()) {
                    console.line(Json.line(json(reader)));
                } else {
                    Table table =
                            new Table(
                                    "NODE", "WAL", "SEGMENTS", "OBJECTS", "FIRST", "LAST", "GAPS");
                    reader.parts().forEach((node, parts) -> row(table, node, parts));
                    console.line(table.toString());
                    tell(console, reader.problems());
                }
                return reader.problems().isEmpty() ? 0 : 1;
            }
        }

        private static void row(Table table, UUID node, List<ArchivePart> parts) {
            ArchivePart first = parts.get(0);
            ArchivePart last = parts.get(parts.size() - 1);
            table.row(
                    node,
                    first.walId(),
                    first.segment() + "-" + last.segment(),
                    parts.size(),
                    date(first.firstMillis()),
                    date(last.lastMillis()),
                    ArchivePart.gaps(parts));
        }

        private static Map<String, Object> json(ArchiveReader reader) {
            List<Map<String, Object>> nodes = new ArrayList<>();
            reader.parts()
                    .forEach(
                            (node, parts) -> {
                                Map<String, Object> json = new LinkedHashMap<>();
                                ArchivePart last = parts.get(parts.size() - 1);
                                json.put("node", node.toString());
                                json.put("wal_id", Json.unsigned(last.walId()));
                                json.put("first_segment", parts.get(0).segment());
                                json.put("last_segment", last.segment());
                                json.put("objects", parts.size());
                                json.put("gaps", ArchivePart.gaps(parts));
                                json.put("first_millis", parts.get(0).firstMillis());
                                json.put("last_millis", last.lastMillis());
                                nodes.add(json);
                            });
            Map<String, Object> json = new LinkedHashMap<>();
            json.put("nodes", nodes);
            json.put("regions", reader.regions().stream().map(Json::unsigned).toList());
            json.put("problems", reader.problems());
            return json;
        }
    }

    @Command(
            name = "dump",
            description = {
                "Print the committed entries of a region, one a line, without user data.",
                "Ends with 1 when one is missing; what is missing is named."
            })
    static final class Dump implements Callable<Integer> {
        @Option(names = "--region", required = true, description = "The region.")
        private long regionId;

        @Option(names = "--from", description = "First index; by default the first there is.")
        private long from;

        @Option(names = "--to", description = "Last index; by default the last that is committed.")
        private long to;

        @Option(
                names = "--until",
                paramLabel = "TIME",
                description = "Nothing written after this, such as 2026-01-31T12:00:00Z.")
        private @Nullable String until;

        @Mixin private ClusterOption cluster = new ClusterOption();
        @Mixin private ObjectsOption objects = new ObjectsOption();

        private final Console console;

        Dump(Console console) {
            this.console = console;
        }

        @Override
        public Integer call() {
            try (ObjectStore store = objects.open()) {
                RegionArchive region = ArchiveReader.open(cluster.of(store), 0).region(regionId);
                tell(console, region.problems());
                long last = to == 0 ? region.lastIndex() : to;
                if (until != null) {
                    last = Math.min(last, region.indexAt(millis(until)));
                }
                region.read(from == 0 ? region.firstIndex() : from, last, this::line);
                console.out().flush();
            }
            return 0;
        }

        private static long millis(String time) {
            try {
                return Instant.parse(time).toEpochMilli();
            } catch (DateTimeParseException e) {
                throw new CliException("--until " + time + ": use a time as 2026-01-31T12:00:00Z");
            }
        }

        private void line(ArchivedEntry entry) {
            console.out()
                    .println(
                            entry.entry().getIndex()
                                    + " term="
                                    + entry.entry().getTerm()
                                    + " "
                                    + entry.entry().getKind()
                                    + " bytes="
                                    + entry.entry().getData().size()
                                    + " written="
                                    + date(entry.writtenMillis()));
        }
    }

    @Command(
            name = "prune",
            description = {
                "Delete old objects from the archive, also those of WAL nodes that are gone.",
                "Age counts by the object store's clock, back from the newest object."
            })
    static final class Prune implements Callable<Integer> {
        @Option(names = "--older-than", required = true, description = "Such as 7d or 12h.")
        private String olderThan = "";

        @Option(names = "--node", description = "UUID of the only node that is meant.")
        private @Nullable UUID node;

        @Option(names = "--dry-run", description = "Only say what would be deleted.")
        private boolean dryRun;

        @Mixin private ClusterOption cluster = new ClusterOption();
        @Mixin private ObjectsOption objects = new ObjectsOption();

        private final Console console;

        Prune(Console console) {
            this.console = console;
        }

        @Override
        public Integer call() {
            long age = age();
            try (ObjectStore store = objects.open()) {
                ObjectStore part = cluster.of(store);
                long cutoff = ArchivePruner.newestMillis(part) - age;
                for (UUID each : node == null ? ArchivePruner.nodes(part) : List.of(node)) {
                    List<ObjectInfo> old = ArchivePruner.prune(part, each, cutoff, dryRun);
                    long bytes = old.stream().mapToLong(ObjectInfo::length).sum();
                    console.line(
                            each
                                    + ": "
                                    + old.size()
                                    + " objects, "
                                    + Shown.bytes(bytes)
                                    + (dryRun ? " would be deleted" : " deleted"));
                }
            }
            return 0;
        }

        private long age() {
            if (!olderThan.matches("[0-9]{1,6}[dhm]")) {
                throw new CliException("--older-than " + olderThan + ": use 7d, 12h or 30m");
            }
            int last = olderThan.length() - 1;
            long count = Long.parseLong(olderThan.substring(0, last));
            return switch (olderThan.charAt(last)) {
                case 'd' -> Duration.ofDays(count).toMillis();
                case 'h' -> Duration.ofHours(count).toMillis();
                default -> Duration.ofMinutes(count).toMillis();
            };
        }
    }
}
