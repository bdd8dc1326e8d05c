package io.tidekv.sim.txn;

import io.tidekv.common.Randomness;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * What the transactions of a run do between their beginning and their commit. A value ends with a
 * mark of its writer, so that no two are equal.
 */
enum Workload {
    /** Reads and writes of any keys. */
    REGISTERS {
        @Override
        CompletableFuture<Void> body(SimTxn txn, Randomness random) {
            CompletableFuture<Void> all = CompletableFuture.completedFuture(null);
            for (String key : keys(random, random.nextInt(3))) {
                all = all.thenCompose(done -> txn.read(key).thenAccept(value -> {}));
            }
            for (String key : keys(random, 1 + random.nextInt(3))) {
                all = all.thenCompose(done -> change(txn, key, before -> "v"));
            }
            return all;
        }
    },

    /** Transfers between accounts, and looks at all of them. */
    BANK {
        @Override
        CompletableFuture<Void> body(SimTxn txn, Randomness random) {
            if (random.chance(0.3)) {
                CompletableFuture<Void> all = CompletableFuture.completedFuture(null);
                for (String key : keys(random, TxnKeysIn.COUNT)) {
                    all = all.thenCompose(done -> txn.read(key).thenAccept(value -> {}));
                }
                return all;
            }
            List<String> pair = keys(random, 2);
            long amount = 1L + random.nextInt(5);
            return change(txn, pair.get(0), before -> sum(before, -amount))
                    .thenCompose(done -> change(txn, pair.get(1), before -> sum(before, amount)));
        }
    },

    /** Appends to lists, and reads of them. */
    LISTS {
        @Override
        CompletableFuture<Void> body(SimTxn txn, Randomness random) {
            CompletableFuture<Void> all = CompletableFuture.completedFuture(null);
            for (String key : keys(random, 1 + random.nextInt(3))) {
                boolean append = random.chance(0.6);
                all =
                        all.thenCompose(
                                done ->
                                        append || txn.mode().isPessimistic()
                                                ? change(
                                                        txn,
                                                        key,
                                                        before -> appended(before, txn.id()))
                                                : txn.read(key).thenAccept(value -> {}));
            }
            return all;
        }
    };

    /** Balance of each account in the beginning. */
    static final long DEPOSIT = 100;

    abstract CompletableFuture<Void> body(SimTxn txn, Randomness random);

    private interface Change {
        String of(@Nullable String before);
    }

    /** Reads a key, locked where the mode says so, and writes it. */
    private static CompletableFuture<Void> change(SimTxn txn, String key, Change change) {
        CompletableFuture<@Nullable String> before =
                txn.mode().isPessimistic() ? txn.lock(key) : txn.read(key);
        return before.thenAccept(value -> txn.write(key, change.of(bare(value)) + "#" + txn.id()));
    }

    static List<String> keys(Randomness random, int count) {
        List<String> all = new ArrayList<>();
        for (int i = 0; i < TxnKeysIn.COUNT; i++) {
            all.add("k" + i);
        }
        while (all.size() > count) {
            all.remove(random.nextInt(all.size()));
        }
        if (all.size() > 1 && random.chance(0.5)) {
            all.add(all.remove(0));
        }
        return all;
    }

    /** A value without the mark of its writer. */
    static @Nullable String bare(@Nullable String value) {
        return value == null ? null : value.substring(0, value.indexOf('#'));
    }

    private static String sum(@Nullable String before, long change) {
        return Long.toString((before == null ? 0 : Long.parseLong(before)) + change);
    }

    private static String appended(@Nullable String before, long element) {
        return before == null ? Long.toString(element) : before + "," + element;
    }
}
