package io.tidekv.it;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLongArray;
import org.tikv.common.BytePairWrapper;
import org.tikv.common.ByteWrapper;
import org.tikv.common.TiSession;
import org.tikv.common.util.BackOffer;
import org.tikv.common.util.ConcreteBackOffer;
import org.tikv.shade.com.google.protobuf.ByteString;
import org.tikv.txn.KVClient;
import org.tikv.txn.TwoPhaseCommitter;

/**
 * Clients that move money, each from one account at the begin of the key space to one at its end, a
 * transaction for each coin.
 */
final class Transfers implements AutoCloseable {
    private static final int CLIENTS = 3;
    private static final long COINS = 1_000_000;
    private static final int PATIENCE_MS = 20_000;

    private final TiSession session;
    private final AtomicLongArray moved = new AtomicLongArray(CLIENTS);
    private final List<Thread> threads = new ArrayList<>();
    private volatile boolean stopped;

    Transfers(Playground playground) {
        session = TiSession.create(Clients.txn(playground));
    }

    /** Fills the accounts, and begins. */
    void start() throws Exception {
        for (int i = 0; i < CLIENTS; i++) {
            put(i, COINS, 0);
            int client = i;
            Thread thread = new Thread(() -> run(client), "transfers-" + i);
            threads.add(thread);
            thread.start();
        }
    }

    /** How many coins of each client have certainly been moved. */
    long[] moved() {
        long[] now = new long[CLIENTS];
        for (int i = 0; i < CLIENTS; i++) {
            now[i] = moved.get(i);
        }
        return now;
    }

    private void run(int client) {
        for (long coin = 1; !stopped; coin++) {
            try {
                put(client, COINS - coin, coin);
            } catch (Exception e) {
                if (!stopped) {
                    System.out.println("transfer " + coin + " of client " + client + ": " + e);
                }
                return;
            }
            moved.set(client, coin);
        }
    }

    private void put(int client, long left, long right) throws Exception {
        byte[] primary = account("a", client);
        byte[] other = account("z", client);
        try (TwoPhaseCommitter committer = new TwoPhaseCommitter(session, now())) {
            committer.prewritePrimaryKey(backOff(), primary, text(left));
            committer.prewriteSecondaryKeys(
                    primary,
                    List.of(new BytePairWrapper(other, text(right))).iterator(),
                    PATIENCE_MS);
            long commitTs = now();
            committer.commitPrimaryKey(backOff(), primary, commitTs);
            committer.commitSecondaryKeys(
                    List.of(new ByteWrapper(other)).iterator(), commitTs, PATIENCE_MS);
        }
    }

    /** Coins that have been moved by each client, as the accounts say; all coins must be there. */
    long[] read() throws Exception {
        long[] found = new long[CLIENTS];
        try (KVClient client = session.createKVClient()) {
            for (int i = 0; i < CLIENTS; i++) {
                long at = now();
                long left = number(client, account("a", i), at);
                long right = number(client, account("z", i), at);
                if (left + right != COINS) {
                    throw new AssertionError(
                            "client " + i + " has " + left + " and " + right + " coins");
                }
                found[i] = right;
            }
        }
        return found;
    }

    private static long number(KVClient client, byte[] account, long at) {
        return Long.parseLong(client.get(ByteString.copyFrom(account), at).toStringUtf8());
    }

    private static byte[] account(String side, int client) {
        return ByteString.copyFromUtf8(side + "/account/" + client).toByteArray();
    }

    private static byte[] text(long coins) {
        return ByteString.copyFromUtf8("" + coins).toByteArray();
    }

    private long now() {
        return session.getTimestamp().getVersion();
    }

    private static BackOffer backOff() {
        return ConcreteBackOffer.newCustomBackOff(PATIENCE_MS);
    }

    /** No transaction is under way when it returns. */
    void stop() throws InterruptedException {
        stopped = true;
        for (Thread thread : threads) {
            thread.join();
        }
    }

    @Override
    public void close() throws Exception {
        stop();
        session.close();
    }
}
