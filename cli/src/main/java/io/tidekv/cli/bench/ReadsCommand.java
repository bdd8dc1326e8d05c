package io.tidekv.cli.bench;

import com.google.protobuf.ByteString;
import io.tidekv.cli.CliException;
import io.tidekv.cli.Console;
import io.tidekv.cli.PdOption;
import io.tidekv.cli.client.KvClient;
import io.tidekv.cli.client.RawKv;
import io.tidekv.common.Randomness;
import io.tidekv.common.time.Clock;
import io.tidekv.common.time.SystemClock;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.HdrHistogram.Histogram;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code tidekv bench reads}. */
@Command(
        name = "reads",
        description = {
            "Raw gets alone and then beside writes at a steady pace, and how much longer the",
            "slowest in a hundred then takes. A cluster that publishes often, as by",
            "--set compute.region.publish-interval=1s, flushes, uploads and compacts all the while.",
            "Exit code 1 when an operation failed."
        })
final class ReadsCommand implements Callable<Integer> {
    private static final int LOADERS = 64;
    private static final double WARM_UP_SECONDS = 10;

    @Mixin private PdOption pd = new PdOption();

    @Option(names = "--clients", description = "Readers at once (default ${DEFAULT-VALUE}).")
    private int clients = 1;

    @Option(names = "--keys", description = "Keys that are read (default ${DEFAULT-VALUE}).")
    private long keys = 20_000;

    @Option(names = "--value-size", description = "Bytes of a value (default ${DEFAULT-VALUE}).")
    private int valueSize = 256;

    @Option(names = "--duration", description = "Seconds of each (default ${DEFAULT-VALUE}).")
    private double seconds = 20;

    @Option(names = "--writes", description = "Writes a second (default ${DEFAULT-VALUE}).")
    private double writes = 100;

    @Option(names = "--write-size", description = "Bytes of each (default ${DEFAULT-VALUE}).")
    private int writeSize = 16_384;

    private final Console console;
    private final Clock clock = SystemClock.INSTANCE;
    private boolean failed;

    ReadsCommand(Console console) {
        this.console = console;
    }

    @Override
    public Integer call() throws InterruptedException {
        if (clients < 1 || keys < 1 || valueSize < 1 || seconds <= 0 || writes <= 0) {
            throw new CliException("all numbers must be above 0");
        }
        try (KvClient client = new KvClient(pd.endpoints(), true)) {
            client.learnApiMode();
            RawKv raw = new RawKv(client);
            ByteString value = Workload.value(valueSize, Randomness.seeded(valueSize));
            checked(new ClosedLoop(key -> raw.put(key, value, 0), clock).once(LOADERS, keys));
            gets(raw, LOADERS, WARM_UP_SECONDS);
            Histogram alone = gets(raw, clients, seconds);
            Histogram beside = gets(raw, clients, seconds, writes(raw));
            show("alone", alone);
            show("beside writes", beside);
            console.line(
                    String.format(
                            Locale.ROOT,
                            "p99 %.1f x, p50 %.1f x",
                            ratio(beside, alone, 99),
                            ratio(beside, alone, 50)));
            return failed ? 1 : 0;
        }
    }

    private PacedWrites writes(RawKv raw) {
        ByteString value = Workload.value(writeSize, Randomness.seeded(writeSize));
        return new PacedWrites(
                number -> raw.put(ByteString.copyFromUtf8("beside-" + number % keys), value, 0),
                writes,
                clock);
    }

    private Histogram gets(RawKv raw, int clients, double seconds, PacedWrites beside)
            throws InterruptedException {
        try (beside) {
            // What writing brings about has begun by then.
            gets(raw, clients, WARM_UP_SECONDS);
            beside.takeGapMillis();
            Histogram measured = gets(raw, clients, seconds);
            console.line(
                    String.format(
                            Locale.ROOT,
                            "%d writes; longest time without an acknowledgement %.0f ms",
                            beside.done(),
                            beside.takeGapMillis()));
            failed |= beside.failed() > 0;
            return measured;
        }
    }

    private Histogram gets(RawKv raw, int clients, double seconds) throws InterruptedException {
        return checked(new ClosedLoop(raw::get, clock).forSeconds(clients, keys, seconds));
    }

    private Histogram checked(ClosedLoop.Result result) {
        failed |= result.errors() > 0;
        return result.micros();
    }

    private void show(String which, Histogram micros) {
        console.line(
                String.format(
                        Locale.ROOT,
                        "gets %-14s %8d  p50 %.3f ms  p99 %.3f ms  p99.9 %.3f ms  max %.1f ms",
                        which,
                        micros.getTotalCount(),
                        micros.getValueAtPercentile(50) / 1e3,
                        micros.getValueAtPercentile(99) / 1e3,
                        micros.getValueAtPercentile(99.9) / 1e3,
                        micros.getMaxValue() / 1e3));
    }

    private static double ratio(Histogram one, Histogram other, double percentile) {
        return (double) one.getValueAtPercentile(percentile)
                / Math.max(1, other.getValueAtPercentile(percentile));
    }
}
