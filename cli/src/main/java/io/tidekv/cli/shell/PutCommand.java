package io.tidekv.cli.shell;

import io.tidekv.cli.Console;
import io.tidekv.cli.client.RawKv;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code tidekv put}. */
@Command(name = "put", description = "Store a value under a key (raw).")
public final class PutCommand extends ShellCommand {
    @Parameters(index = "0", paramLabel = "KEY")
    private String key = "";

    @Parameters(index = "1", paramLabel = "VALUE")
    private String value = "";

    @Option(
            names = "--ttl",
            paramLabel = "SECONDS",
            description = "Forget it after this time; needs a cluster of --api-version 1ttl or 2.")
    private long ttl;

    public PutCommand(Console console) {
        super(console);
    }

    @Override
    int run(RawKv kv) throws InterruptedException {
        await(kv.put(text().read(key), text().read(value), ttl));
        return 0;
    }
}
