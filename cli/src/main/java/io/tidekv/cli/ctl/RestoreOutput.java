package io.tidekv.cli.ctl;

import io.tidekv.cli.Console;
import io.tidekv.cli.Json;
import io.tidekv.objects.restore.Restoration;
import io.tidekv.objects.restore.Restoration.Part;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Writes a plan for PD and says what is in it. */
final class RestoreOutput {
    private RestoreOutput() {}

    static void write(Console console, boolean json, Restoration made, Path file) {
        write(console, json, made, file, "; the old one must not run any more");
    }

    /** As the other, of a cluster that works beside the one that it comes from. */
    static void writeBranch(Console console, boolean json, Restoration made, Path file) {
        write(console, json, made, file, "; it has an id of its own");
    }

    private static void write(
            Console console, boolean json, Restoration made, Path file, String remark) {
        try {
            Files.write(file, made.plan().toByteArray());
        } catch (IOException e) {
            throw new UncheckedIOException("cannot write " + file + ": " + e.getMessage(), e);
        }
        console.line(json ? Json.line(json(made, file)) : text(made));
        if (!json) {
            console.note(moment(made));
            made.problems().forEach(problem -> console.note("not used: " + problem));
            console.note(
                    "begin the new cluster with `tidekv pd --restore-plan "
                            + file
                            + "` or `tidekv playground --restore-plan "
                            + file
                            + "`, with the same --object-store"
                            + remark);
        }
    }

    private static String text(Restoration made) {
        Table table = new Table("REGION", "START", "END", "UNTIL", "REPLAYED", "FROM");
        for (Part part : made.parts()) {
            table.row(
                    part.regionId(),
                    Shown.hex(part.startKey()),
                    Shown.hex(part.endKey()),
                    part.untilMillis() == 0 ? "-" : Instant.ofEpochMilli(part.untilMillis()),
                    part.replayedEntries(),
                    from(part));
        }
        return table.toString();
    }

    private static String moment(Restoration made) {
        if (!made.whole()) {
            return "the regions are not of one moment: a transaction may be there in one and not in"
                    + " another";
        }
        return made.atMillis() == 0
                ? "every transaction is there as a whole, or not at all"
                : "every transaction committed until "
                        + Instant.ofEpochMilli(made.atMillis())
                        + " is there as a whole, and no later one";
    }

    private static String from(Part part) {
        if (part.isEmpty()) {
            return "nothing: it begins empty";
        }
        return part.record().isEmpty() ? "the log alone" : part.record();
    }

    private static Map<String, Object> json(Restoration made, Path file) {
        List<Map<String, Object>> regions = new ArrayList<>();
        for (Part part : made.parts()) {
            Map<String, Object> region = new LinkedHashMap<>();
            region.put("region", part.regionId());
            region.put("start_key", Shown.hex(part.startKey()));
            region.put("end_key", Shown.hex(part.endKey()));
            region.put("record", part.record());
            region.put("applied_index", part.appliedIndex());
            region.put("replayed_entries", part.replayedEntries());
            region.put("until_ms", part.untilMillis());
            regions.add(region);
        }
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("cluster", Json.unsigned(made.plan().getClusterId()));
        json.put("api_version", Shown.apiMode(made.plan().getApiMode()));
        json.put("plan", file.toString());
        json.put("transactions_whole", made.whole());
        json.put("at_ms", made.atMillis() == 0 ? null : made.atMillis());
        json.put("regions", regions);
        json.put("empty", made.parts().stream().filter(Part::isEmpty).count());
        json.put("problems", made.problems());
        return json;
    }
}
