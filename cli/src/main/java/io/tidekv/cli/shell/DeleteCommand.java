package io.tidekv.cli.shell;

import io.tidekv.cli.Console;
import io.tidekv.cli.client.RawKv;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** {@code tidekv delete}. */
@Command(name = "delete", description = "Delete keys (raw); a key that is not there is no error.")
public final class DeleteCommand extends ShellCommand {
    @Parameters(arity = "1..*", paramLabel = "KEY")
    private List<String> keys = new ArrayList<>();

    public DeleteCommand(Console console) {
        super(console);
    }

    @Override
    int run(RawKv kv) throws InterruptedException {
        List<CompletableFuture<Void>> deletes =
                keys.stream().map(key -> kv.delete(text().read(key))).toList();
        for (CompletableFuture<Void> delete : deletes) {
            await(delete);
        }
        return 0;
    }
}
