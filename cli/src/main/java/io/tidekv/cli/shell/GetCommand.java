package io.tidekv.cli.shell;

import com.google.protobuf.ByteString;
import io.tidekv.cli.Console;
import io.tidekv.cli.client.RawKv;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** {@code tidekv get}. */
@Command(
        name = "get",
        description =
                "Print the values of keys (raw), one a line; exit code 1 when one is missing.")
public final class GetCommand extends ShellCommand {
    @Parameters(arity = "1..*", paramLabel = "KEY")
    private List<String> keys = new ArrayList<>();

    public GetCommand(Console console) {
        super(console);
    }

    @Override
    int run(RawKv kv) throws InterruptedException {
        List<CompletableFuture<Optional<ByteString>>> values =
                keys.stream().map(key -> kv.get(text().read(key))).toList();
        int missing = 0;
        for (int i = 0; i < values.size(); i++) {
            Optional<ByteString> value = await(values.get(i));
            if (value.isPresent()) {
                console().line(text().show(value.get()));
            } else {
                console().note("not found: " + keys.get(i));
                missing++;
            }
        }
        return missing == 0 ? 0 : 1;
    }
}
