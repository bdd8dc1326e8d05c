package io.tidekv.cli.shell;

import com.google.protobuf.ByteString;
import io.tidekv.cli.Console;
import io.tidekv.cli.client.RawKv;
import io.tidekv.proto.kvrpcpb.KvPair;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code tidekv scan}. */
@Command(
        name = "scan",
        description = "Print keys and values (raw) from START up to, not including, END.")
public final class ScanCommand extends ShellCommand {
    @Parameters(index = "0", arity = "0..1", paramLabel = "START", description = "First key.")
    private String start = "";

    @Parameters(index = "1", arity = "0..1", paramLabel = "END", description = "Bound.")
    private String end = "";

    @Option(names = "--limit", description = "At most so many pairs (default ${DEFAULT-VALUE}).")
    private int limit = 100;

    @Option(names = "--keys-only", description = "Print keys without values.")
    private boolean keysOnly;

    public ScanCommand(Console console) {
        super(console);
    }

    @Override
    int run(RawKv kv) throws InterruptedException {
        ByteString from = text().read(start);
        for (KvPair pair : await(kv.scan(from, text().read(end), Math.max(1, limit)))) {
            String key = text().show(pair.getKey());
            console().line(keysOnly ? key : key + "\t" + text().show(pair.getValue()));
        }
        return 0;
    }
}
