package io.tidekv.cli.ctl;

import io.tidekv.cli.Console;
import io.tidekv.cli.Json;
import io.tidekv.objects.backup.Backups;
import io.tidekv.objects.gc.CollectReport;
import io.tidekv.objects.gc.Collector;
import io.tidekv.objects.gc.GcOptions;
import io.tidekv.objects.gc.PdRoots;
import io.tidekv.objects.store.ObjectStore;
import io.tidekv.objects.store.StoreContext;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code tidekv ctl gc}. */
@Command(
        name = "gc",
        description = "Objects that nobody needs any more.",
        subcommands = GcCommand.Run.class)
final class GcCommand implements Runnable {
    @Spec private @Nullable CommandSpec spec;

    @Override
    public void run() {
        Usage.show(spec);
    }

    /** {@code tidekv ctl gc run}. */
    @Command(
            name = "run",
            description =
                    "Look for garbage once: list what is dead, delete what has been listed for an"
                            + " hour.")
    static final class Run implements Callable<Integer> {
        @Mixin private ObjectsOption objects = new ObjectsOption();

        @Option(names = "--dry-run", description = "Write and delete nothing.")
        private boolean dryRun;

        @Spec private @Nullable CommandSpec spec;

        private final Console console;

        Run(Console console) {
            this.console = console;
        }

        @Override
        public Integer call() throws InterruptedException {
            CtlOptions options = CtlOptions.of(spec);
            PdRoots roots = new PdRoots(options.pd());
            CollectReport report;
            try (ObjectStore store = objects.open()) {
                ObjectStore cluster = ObjectsOption.cluster(store, roots.clusterId());
                StoreContext context = StoreContext.system();
                Backups backups = new Backups(cluster, context.randomness());
                report =
                        new Collector(cluster, roots, backups::held, GcOptions.DEFAULT, context)
                                .run(dryRun);
            }
            console.line(options.json() ? Json.line(json(report)) : text(report));
            return 0;
        }

        private static String text(CollectReport report) {
            Table table = new Table("", "OBJECTS", "BYTES");
            table.row("needed", report.liveFiles(), Shown.bytes(report.liveBytes()));
            table.row("garbage", report.garbage(), Shown.bytes(report.garbageBytes()));
            table.row("deleted now", report.deleted(), Shown.bytes(report.deletedBytes()));
            table.row("garbage beside needed parts", "", Shown.bytes(report.packedBytes()));
            String unsettled =
                    report.unsettledRegions() == 0
                            ? ""
                            : System.lineSeparator()
                                    + report.unsettledRegions()
                                    + " regions have not said what they need: nothing of theirs is"
                                    + " touched";
            return table + unsettled;
        }

        private static Map<String, Object> json(CollectReport report) {
            Map<String, Object> json = new LinkedHashMap<>();
            json.put("dry_run", report.dryRun());
            json.put("live_records", report.liveRecords());
            json.put("live_files", report.liveFiles());
            json.put("live_bytes", report.liveBytes());
            json.put("packed_garbage_bytes", report.packedBytes());
            json.put("in_flight", report.inFlight());
            json.put("garbage", report.garbage());
            json.put("garbage_bytes", report.garbageBytes());
            json.put("listed", report.listed());
            json.put("deleted", report.deleted());
            json.put("deleted_bytes", report.deletedBytes());
            json.put("unsettled_regions", report.unsettledRegions());
            return json;
        }
    }
}
