package io.tidekv.cli.server;

import io.tidekv.cli.Console;
import io.tidekv.cli.Json;
import io.tidekv.common.config.DataSize;
import io.tidekv.objects.store.ObjectStore;
import io.tidekv.objects.store.ObjectStores;
import io.tidekv.objects.store.StoreContext;
import io.tidekv.objects.worker.RegionFindings;
import io.tidekv.objects.worker.Scrub;
import io.tidekv.objects.worker.ScrubReport;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code tidekv sst-uploader scrub}. Exit codes: 0 all is well, 1 damage or no answer. */
@Command(name = "scrub", description = "Check every record and every object that one names, once.")
final class ScrubCommand implements Callable<Integer> {
    @Option(
            names = "--object-store",
            paramLabel = "URI",
            required = true,
            description = "file:DIR or s3://bucket/prefix?endpoint=…")
    private String objectStore = "";

    @Option(names = "--cluster", paramLabel = "ID", description = "Only this cluster.")
    private String cluster = "0";

    @Option(
            names = "--read-rate",
            paramLabel = "BYTES",
            defaultValue = "1GB",
            description = "Contents read per second; 0B: look at lengths only.")
    private String readRate = "1GB";

    @Option(names = "--json", description = "Print JSON.")
    private boolean json;

    private final Console console;

    ScrubCommand(Console console) {
        this.console = console;
    }

    @Override
    public Integer call() throws InterruptedException {
        ScrubReport report;
        try (ObjectStore store = ObjectStores.open(objectStore)) {
            report =
                    Scrub.once(
                            store,
                            Long.parseUnsignedLong(cluster),
                            DataSize.parse(readRate).bytes(),
                            StoreContext.system());
        }
        if (json) {
            console.line(Json.line(json(report)));
        } else {
            print(report);
        }
        return report.damaged().isEmpty() && report.stoppedBy().isEmpty() ? 0 : 1;
    }

    private void print(ScrubReport report) {
        for (RegionFindings region : report.damaged()) {
            console.line(
                    "cluster "
                            + Json.unsigned(region.clusterId())
                            + " region "
                            + Json.unsigned(region.regionId())
                            + ":");
            region.problems().forEach(problem -> console.line("  " + problem));
        }
        console.line(
                report.records()
                        + " records and "
                        + report.objects()
                        + " objects of "
                        + report.regions()
                        + " regions checked: "
                        + report.damagedRecords()
                        + " damaged records, "
                        + report.missingObjects()
                        + " missing and "
                        + report.damagedObjects()
                        + " damaged objects");
        if (!report.stoppedBy().isEmpty()) {
            console.line("stopped before the end: " + report.stoppedBy());
        }
    }

    private static Map<String, Object> json(ScrubReport report) {
        List<Map<String, Object>> damaged = new ArrayList<>();
        for (RegionFindings region : report.damaged()) {
            Map<String, Object> one = new LinkedHashMap<>();
            one.put("cluster", Json.unsigned(region.clusterId()));
            one.put("region", Json.unsigned(region.regionId()));
            one.put("problems", region.problems());
            damaged.add(one);
        }
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("regions", report.regions());
        json.put("records", report.records());
        json.put("objects", report.objects());
        json.put("read_bytes", report.readBytes());
        json.put("damaged_records", report.damagedRecords());
        json.put("missing_objects", report.missingObjects());
        json.put("damaged_objects", report.damagedObjects());
        json.put("damaged", damaged);
        json.put("stopped_by", report.stoppedBy());
        return json;
    }
}
