package io.tidekv.cli.bench;

import com.google.protobuf.ByteString;
import io.tidekv.cli.CliException;
import io.tidekv.cli.Console;
import io.tidekv.cli.PdOption;
import io.tidekv.cli.client.KvClient;
import io.tidekv.common.time.Clock;
import io.tidekv.common.time.SystemClock;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Iterator;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.TypeConversionException;

/** {@code tidekv bench kv}. */
@Command(
        name = "kv",
        description = {
            "Closed-loop load: each client sends its next request when the last is answered.",
            "Exit code 1 when an operation failed."
        })
final class KvCommand implements Callable<Integer> {
    private static final int LOADERS = 128;

    @Mixin private PdOption pd = new PdOption();

    @Option(
            names = "--workload",
            required = true,
            completionCandidates = Names.class,
            converter = Reader.class,
            description = "${COMPLETION-CANDIDATES}; scans and batches are of 100 pairs.")
    private Workload workload = Workload.RAW_PUT;

    @Mixin private LoadOptions load = new LoadOptions();

    @Option(names = "--skip-load", description = "Reads find what an earlier run has written.")
    private boolean skipLoad;

    @Option(names = "--unary", description = "A call per request instead of batches in a stream.")
    private boolean unary;

    @Option(
            names = "--ready-file",
            paramLabel = "FILE",
            description = "Of a playground: the processes whose CPU is measured.")
    private @Nullable Path readyFile;

    private final Console console;
    private final Clock clock = SystemClock.INSTANCE;

    KvCommand(Console console) {
        this.console = console;
    }

    @Override
    public Integer call() throws InterruptedException {
        load.check();
        try (KvClient client = new KvClient(pd.endpoints(), !unary)) {
            client.learnApiMode();
            ServerCpu cpu = ServerCpu.of(readyFile, client.pd());
            ByteString value = load.value();
            if (workload.reads() && !skipLoad) {
                write(client, value);
            }
            warmUp(client, value, load.warmUpClients());
            if (load.clients() < load.warmUpClients()) {
                warmUp(client, value, load.clients());
            }
            Map<String, Double> before = cpu.read();
            ClosedLoop loop = new ClosedLoop(key -> workload.run(client, key, value), clock);
            ClosedLoop.Result result = loop.forSeconds(load.clients(), load.keys(), load.seconds());
            Report report =
                    new Report(
                            workload.toString(),
                            load,
                            result,
                            ServerCpu.between(before, cpu.read()));
            console.line(load.json() ? report.json() : report.text());
            if (loop.lastError() != null) {
                console.note("tidekv: an operation failed: " + loop.lastError().getMessage());
            }
            return result.errors() == 0 ? 0 : 1;
        }
    }

    private void warmUp(KvClient client, ByteString value, int clients)
            throws InterruptedException {
        new ClosedLoop(key -> workload.run(client, key, value), clock)
                .forSeconds(clients, load.keys(), load.warmUpSeconds());
    }

    private void write(KvClient client, ByteString value) throws InterruptedException {
        Workload writes = workload.loader();
        ClosedLoop loader = new ClosedLoop(key -> writes.run(client, key, value), clock);
        ClosedLoop.Result loaded = loader.once(LOADERS, load.keys());
        if (loaded.errors() > 0) {
            Throwable why = loader.lastError();
            throw new CliException(
                    "could not write the keys to read: " + (why == null ? "" : why.getMessage()));
        }
    }

    static final class Names implements Iterable<String> {
        @Override
        public Iterator<String> iterator() {
            return Arrays.stream(Workload.values()).map(Workload::toString).iterator();
        }
    }

    static final class Reader implements ITypeConverter<Workload> {
        @Override
        public Workload convert(String text) {
            return Arrays.stream(Workload.values())
                    .filter(workload -> workload.toString().equals(text))
                    .findFirst()
                    .orElseThrow(
                            () ->
                                    new TypeConversionException(
                                            "\""
                                                    + text
                                                    + "\" is none of "
                                                    + Arrays.toString(Workload.values())));
        }
    }
}
