package io.tidekv.cli.ctl;

import io.tidekv.cli.CliException;
import io.tidekv.cli.Console;
import io.tidekv.cli.Json;
import io.tidekv.objects.manifest.RecordCodec;
import io.tidekv.objects.manifest.RecordNames;
import io.tidekv.objects.store.ObjectStore;
import io.tidekv.proto.cluster.RegionInfo;
import io.tidekv.proto.manifest.ColumnFamily;
import io.tidekv.proto.manifest.SstFile;
import io.tidekv.proto.manifest.TabletRecord;
import io.tidekv.proto.region.ObjectRef;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code tidekv ctl record}. */
@Command(
        name = "record",
        description = "Published states of regions.",
        subcommands = RecordCommand.Show.class)
final class RecordCommand implements Runnable {
    @Spec private @Nullable CommandSpec spec;

    @Override
    public void run() {
        Usage.show(spec);
    }

    /** {@code tidekv ctl record show}. Exit code 1 for a record that is absent or damaged. */
    @Command(name = "show", description = "Print a record, of an object or of a region.")
    static final class Show implements Callable<Integer> {
        @Parameters(
                paramLabel = "OBJECT",
                arity = "0..1",
                description = "Its name below the cluster's, such as record/7/3-1-… or pack/…@8.")
        private @Nullable String object;

        @Option(
                names = "--region",
                paramLabel = "ID",
                description = "The current record of this region.")
        private @Nullable Long region;

        @Option(
                names = "--cluster",
                paramLabel = "ID",
                description = "The cluster; by default PD is asked.")
        private @Nullable String cluster;

        @Mixin private ObjectsOption objects = new ObjectsOption();

        @Spec private @Nullable CommandSpec spec;

        private final Console console;

        Show(Console console) {
            this.console = console;
        }

        @Override
        public Integer call() {
            CtlOptions options = CtlOptions.of(spec);
            if ((object == null) == (region == null)) {
                throw new CliException("name a record, or a region with --region");
            }
            long clusterId =
                    cluster == null ? options.clusterId() : Long.parseUnsignedLong(cluster);
            String name;
            TabletRecord record;
            try (ObjectStore opened = objects.open()) {
                ObjectStore store = ObjectsOption.cluster(opened, clusterId);
                ObjectRef ref = object == null ? current(options) : RecordNames.find(store, object);
                if (ref == null) {
                    throw new CliException("there is no record " + object);
                }
                name = RecordNames.of(ref);
                record = RecordCodec.decode(name, RecordCodec.read(store, ref));
            }
            console.line(options.json() ? Json.line(json(name, record)) : text(name, record));
            return 0;
        }

        private ObjectRef current(CtlOptions options) {
            RegionInfo info = Regions.one(options, region == null ? 0 : region);
            if (!info.hasRoots()) {
                throw new CliException("region " + region + " has no owner that could tell");
            }
            if (!info.getRoots().hasRecord()) {
                throw new CliException("region " + region + " has not been published yet");
            }
            return info.getRoots().getRecord();
        }

        private static String text(String name, TabletRecord record) {
            StringBuilder out = new StringBuilder();
            String nl = System.lineSeparator();
            out.append(name).append(nl);
            out.append("region     ").append(record.getShape().getRegionId());
            out.append(" [").append(Shown.hex(record.getShape().getStartKey())).append(", ");
            out.append(Shown.hex(record.getShape().getEndKey())).append(") version ");
            out.append(record.getShape().getVersion()).append(nl);
            out.append("term       ").append(record.getTerm()).append(", sequence ");
            out.append(record.getSequence()).append(nl);
            out.append("applied    index ").append(record.getAppliedIndex()).append(", term ");
            out.append(record.getAppliedTerm()).append(nl);
            out.append("parent     ").append(RecordNames.of(record.getParent())).append(nl);
            record.getLineageList()
                    .forEach(
                            l ->
                                    out.append("lineage    ")
                                            .append(l.getEvent())
                                            .append(" of ")
                                            .append(l.getRegionId())
                                            .append(" at ")
                                            .append(l.getIndex())
                                            .append(nl));
            record.getPendingChildrenList()
                    .forEach(
                            c ->
                                    out.append("child      ")
                                            .append(c.getShape().getRegionId())
                                            .append(' ')
                                            .append(RecordNames.of(c.getFirstRecord()))
                                            .append(nl));
            Table table =
                    new Table(
                            "CF",
                            "LEVEL",
                            "FILE",
                            "SIZE",
                            "ENTRIES",
                            "SMALLEST",
                            "LARGEST",
                            "OBJECT");
            for (ColumnFamily family : record.getColumnFamiliesList()) {
                for (SstFile file : family.getFilesList()) {
                    table.row(
                            family.getName(),
                            file.getLevel(),
                            file.getNumber(),
                            Shown.bytes(file.getSize()),
                            file.getEntries(),
                            Shown.hex(file.getSmallest()),
                            Shown.hex(file.getLargest()),
                            RecordNames.of(file.getObject()));
                }
            }
            return out.append(table).toString();
        }

        private static Map<String, Object> json(String name, TabletRecord record) {
            Map<String, Object> json = new LinkedHashMap<>();
            json.put("object", name);
            json.put("cluster", Json.unsigned(record.getClusterId()));
            json.put("region", Json.unsigned(record.getShape().getRegionId()));
            json.put("start_key", Shown.hex(record.getShape().getStartKey()));
            json.put("end_key", Shown.hex(record.getShape().getEndKey()));
            json.put("version", record.getShape().getVersion());
            json.put("api_version", Shown.apiMode(record.getApiMode()));
            json.put("term", record.getTerm());
            json.put("sequence", record.getSequence());
            json.put("applied_index", record.getAppliedIndex());
            json.put("applied_term", record.getAppliedTerm());
            json.put("parent", RecordNames.of(record.getParent()));
            json.put(
                    "pending_children",
                    record.getPendingChildrenList().stream()
                            .map(c -> RecordNames.of(c.getFirstRecord()))
                            .toList());
            List<Map<String, Object>> files = new ArrayList<>();
            for (ColumnFamily family : record.getColumnFamiliesList()) {
                family.getFilesList().forEach(file -> files.add(json(family, file)));
            }
            json.put("files", files);
            return json;
        }

        private static Map<String, Object> json(ColumnFamily family, SstFile file) {
            Map<String, Object> json = new LinkedHashMap<>();
            json.put("cf", family.getName());
            json.put("level", file.getLevel());
            json.put("number", file.getNumber());
            json.put("size", file.getSize());
            json.put("entries", file.getEntries());
            json.put("smallest", Shown.hex(file.getSmallest()));
            json.put("largest", Shown.hex(file.getLargest()));
            json.put("object", RecordNames.of(file.getObject()));
            return json;
        }
    }
}
