package io.tidekv.proto;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * The external wire schema as a table, one fact per line; where it is kept it is beside the repo.
 */
final class WireTable {
    private static final String[] PARTS = {"kvproto.tsv", "etcd.tsv"};

    /** "package" → syntax. */
    final Map<String, String> syntaxes = new HashMap<>();

    final Set<String> messages = new HashSet<>();

    /** "message field" → what the table says of it. */
    final Map<String, String> fields = new HashMap<>();

    /** "enum VALUE" → number. */
    final Map<String, String> values = new HashMap<>();

    /** "service/method" → "request → response". */
    final Map<String, String> rpcs = new HashMap<>();

    static Optional<Path> folder() {
        for (Path up = Path.of("").toAbsolutePath(); up != null; up = up.getParent()) {
            Path candidate = up.resolve("shared").resolve("protocol");
            if (Files.isRegularFile(candidate.resolve(PARTS[0]))) {
                return Optional.of(candidate);
            }
        }
        return Optional.empty();
    }

    static WireTable read(Path folder) throws IOException {
        WireTable table = new WireTable();
        for (String part : PARTS) {
            for (String line : Files.readAllLines(folder.resolve(part), UTF_8)) {
                table.add(line.split("\t", -1));
            }
        }
        return table;
    }

    private void add(String[] c) {
        switch (c[0]) {
            case "file" -> syntaxes.put(c[2], c[3]);
            case "message" -> messages.add(c[1]);
            case "field" -> fields.put(c[1] + " " + c[3], field(c[2], c[4], c[5], oneof(c[6])));
            case "enum" -> values.put(c[1] + " " + c[3], c[2]);
            case "rpc" -> rpcs.put(c[1] + "/" + c[2], c[3] + " → " + c[4]);
            default -> throw new IllegalArgumentException("unknown kind of line: " + c[0]);
        }
    }

    /** One spelling for both sides of the comparison. */
    static String field(String number, String label, String type, String oneof) {
        return number + " " + label + " " + type + (oneof.isEmpty() ? "" : " in " + oneof);
    }

    private static String oneof(String notes) {
        String[] words = notes.split(" ");
        return words.length >= 2 && words[0].equals("oneof") ? words[1] : "";
    }
}
