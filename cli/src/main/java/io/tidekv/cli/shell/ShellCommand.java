package io.tidekv.cli.shell;

import io.tidekv.cli.CliException;
import io.tidekv.cli.Console;
import io.tidekv.cli.PdOption;
import io.tidekv.cli.client.KvClient;
import io.tidekv.cli.client.RawKv;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import picocli.CommandLine.Mixin;

/** One raw command against a cluster. */
abstract class ShellCommand implements Callable<Integer> {
    private static final long TIMEOUT_SECONDS = 60;

    @Mixin private PdOption pd = new PdOption();
    @Mixin private Text text = new Text();

    private final Console console;

    ShellCommand(Console console) {
        this.console = console;
    }

    Console console() {
        return console;
    }

    Text text() {
        return text;
    }

    /** Does the work; the result is the exit code. */
    abstract int run(RawKv kv) throws InterruptedException;

    @Override
    public Integer call() throws InterruptedException {
        try (KvClient client = new KvClient(pd.endpoints(), false)) {
            client.learnApiMode();
            return run(new RawKv(client));
        }
    }

    static <T> T await(CompletableFuture<T> answer) throws InterruptedException {
        try {
            return answer.get(TIMEOUT_SECONDS, TimeUnit.SECONDS);
        } catch (ExecutionException e) {
            throw e.getCause() instanceof RuntimeException cause
                    ? cause
                    : new IllegalStateException(e.getCause());
        } catch (TimeoutException e) {
            throw new CliException("no answer in 60 s: look at `tidekv ctl status`", e);
        }
    }
}
