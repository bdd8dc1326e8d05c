package io.tidekv.cli.bench;

import com.google.protobuf.ByteString;
import io.tidekv.cli.CliException;
import io.tidekv.cli.Console;
import io.tidekv.cli.PdOption;
import io.tidekv.cli.client.KvClient;
import io.tidekv.cli.client.LargeTxn;
import io.tidekv.cli.client.TxnKv;
import io.tidekv.common.Randomness;
import io.tidekv.common.time.Clock;
import io.tidekv.common.time.SystemClock;
import io.tidekv.proto.kvrpcpb.KvPair;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code tidekv bench large-txn}. */
@Command(
        name = "large-txn",
        description = {
            "One transaction of many keys, flushed to the stores while it is made (pipelined DML),",
            "committed, and its locks resolved region by region. Some of its keys are read before",
            "the commit, by the transaction, and after it.",
            "Exit code 1 when something failed or was read wrong."
        })
final class LargeTxnCommand implements Callable<Integer> {
    private static final Duration PATIENCE = Duration.ofMinutes(10);
    private static final int PER_REQUEST = 500;
    private static final int REQUESTS_PER_GENERATION = 20;
    private static final int SAMPLES = 50;

    @Mixin private PdOption pd = new PdOption();

    @Option(names = "--keys", description = "Keys it writes (default ${DEFAULT-VALUE}).")
    private int keys = 1_000_000;

    @Option(names = "--value-size", description = "Bytes of a value (default ${DEFAULT-VALUE}).")
    private int valueSize = 100;

    @Option(names = "--json", description = "Print JSON.")
    private boolean json;

    private final Console console;
    private final Clock clock = SystemClock.INSTANCE;

    LargeTxnCommand(Console console) {
        this.console = console;
    }

    @Override
    public Integer call() throws InterruptedException {
        if (keys < 1 || valueSize < 1) {
            throw new CliException("--keys and --value-size must be above 0");
        }
        try (KvClient client = new KvClient(pd.endpoints(), true, PATIENCE)) {
            long start = await(client.timestamp());
            LargeTxn txn = new LargeTxn(client, key(0), start);
            long began = clock.monotonicNanos();
            flush(txn, start);
            long wrong = wrongBefore(txn, start);
            long flushed = clock.monotonicNanos();
            long commit = await(txn.commit());
            long committed = clock.monotonicNanos();
            await(txn.resolve(key(0), key(keys - 1), commit));
            long resolved = clock.monotonicNanos();
            wrong += wrongAfter(new TxnKv(client), start);
            console.line(
                    String.format(
                            Locale.ROOT,
                            json
                                    ? "{\"keys\":%d,\"flush_s\":%.1f,\"commit_ms\":%.1f,"
                                            + "\"resolve_s\":%.1f,\"wrong_reads\":%d}"
                                    : "%d keys: flushed in %.1f s, committed in %.1f ms,"
                                            + " resolved in %.1f s; %d samples read wrong",
                            keys,
                            (flushed - began) / 1e9,
                            (committed - flushed) / 1e6,
                            (resolved - committed) / 1e9,
                            wrong));
            return wrong == 0 ? 0 : 1;
        }
    }

    /** Requests of one generation are under way at once, generations one after the other. */
    private void flush(LargeTxn txn, long start) throws InterruptedException {
        ArrayDeque<CompletableFuture<Void>> underWay = new ArrayDeque<>();
        long generation = 1;
        for (int from = 0; from < keys; from += PER_REQUEST) {
            List<KvPair> pairs = new ArrayList<>(PER_REQUEST);
            for (int i = from; i < Math.min(keys, from + PER_REQUEST); i++) {
                pairs.add(KvPair.newBuilder().setKey(key(i)).setValue(value(start, i)).build());
            }
            underWay.add(txn.flush(generation, pairs));
            if (underWay.size() == REQUESTS_PER_GENERATION) {
                awaitAll(underWay);
                generation++;
            }
        }
        awaitAll(underWay);
    }

    private void awaitAll(ArrayDeque<CompletableFuture<Void>> underWay)
            throws InterruptedException {
        while (!underWay.isEmpty()) {
            await(underWay.remove());
        }
    }

    private long wrongBefore(LargeTxn txn, long start) throws InterruptedException {
        long wrong = 0;
        for (int i : samples()) {
            List<KvPair> found = await(txn.flushed(key(i)));
            wrong += found.size() == 1 && found.get(0).getValue().equals(value(start, i)) ? 0 : 1;
        }
        return wrong;
    }

    private long wrongAfter(TxnKv txn, long start) throws InterruptedException {
        long wrong = 0;
        for (int i : samples()) {
            boolean right = await(txn.get(key(i))).filter(value(start, i)::equals).isPresent();
            wrong += right ? 0 : 1;
        }
        return wrong;
    }

    private int[] samples() {
        int[] samples = new int[Math.min(keys, SAMPLES)];
        for (int i = 0; i < samples.length; i++) {
            samples[i] = (int) ((long) i * (keys - 1) / Math.max(1, samples.length - 1));
        }
        return samples;
    }

    /** Other bytes for each transaction and key, so that nothing older can be taken for it. */
    private ByteString value(long start, int number) {
        return Workload.value(valueSize, Randomness.seeded(start + number));
    }

    private static ByteString key(int number) {
        return ByteString.copyFromUtf8(String.format(Locale.ROOT, "large-%09d", number));
    }

    private static <T> T await(CompletableFuture<T> future) throws InterruptedException {
        try {
            return future.get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
        } catch (ExecutionException e) {
            Throwable why = e.getCause() == null ? e : e.getCause();
            throw new CliException("the transaction failed: " + why.getMessage(), why);
        } catch (TimeoutException e) {
            throw new CliException("the transaction is not over after " + PATIENCE, e);
        }
    }
}
