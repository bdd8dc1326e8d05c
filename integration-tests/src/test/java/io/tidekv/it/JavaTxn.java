package io.tidekv.it;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.tikv.common.BytePairWrapper;
import org.tikv.common.ByteWrapper;
import org.tikv.common.TiSession;
import org.tikv.common.util.BackOffer;
import org.tikv.common.util.ConcreteBackOffer;
import org.tikv.shade.com.google.protobuf.ByteString;
import org.tikv.txn.KVClient;
import org.tikv.txn.TwoPhaseCommitter;

/** Optimistic transactions of the Java client, written and read in one call. */
final class JavaTxn {
    private static final int PATIENCE_MS = 10_000;
    private static final int ATTEMPTS = 5;

    private final TiSession session;
    private final KVClient client;

    JavaTxn(TiSession session) {
        this.session = session;
        client = session.createKVClient();
    }

    KVClient client() {
        return client;
    }

    /** A fresh timestamp. */
    long now() {
        return session.getTimestamp().getVersion();
    }

    /** What a key has at a time; empty when nothing. */
    ByteString read(ByteString key, long ts) {
        return client.get(key, ts);
    }

    /** Commits all of it, repeating what a split or another's lock has made fail; empty deletes. */
    void write(Map<ByteString, ByteString> pairs) {
        for (int attempt = 1; ; attempt++) {
            try {
                commit(now(), pairs, PATIENCE_MS);
                return;
            } catch (Exception e) {
                if (attempt == ATTEMPTS) {
                    throw new IllegalStateException(ATTEMPTS + " attempts to write failed", e);
                }
            }
        }
    }

    /** Commits all of it once; the first key is the primary, an empty value deletes. */
    void commit(long start, Map<ByteString, ByteString> pairs, int patienceMs) throws Exception {
        try (TwoPhaseCommitter committer = new TwoPhaseCommitter(session, start)) {
            prewrite(committer, pairs, patienceMs);
            long commitTs = now();
            byte[] primary = primary(pairs);
            committer.commitPrimaryKey(backOff(patienceMs), primary, commitTs);
            List<ByteWrapper> others = new ArrayList<>();
            pairs.keySet().stream()
                    .skip(1)
                    .forEach(key -> others.add(new ByteWrapper(key.toByteArray())));
            if (!others.isEmpty()) {
                committer.commitSecondaryKeys(others.iterator(), commitTs, patienceMs);
            }
        }
    }

    /** The first half of a commit: everything is locked, the first key as primary. */
    static void prewrite(
            TwoPhaseCommitter committer, Map<ByteString, ByteString> pairs, int patienceMs)
            throws Exception {
        byte[] primary = primary(pairs);
        committer.prewritePrimaryKey(
                backOff(patienceMs), primary, pairs.values().iterator().next().toByteArray());
        List<BytePairWrapper> others = new ArrayList<>();
        pairs.entrySet().stream()
                .skip(1)
                .forEach(
                        pair ->
                                others.add(
                                        new BytePairWrapper(
                                                pair.getKey().toByteArray(),
                                                pair.getValue().toByteArray())));
        if (!others.isEmpty()) {
            committer.prewriteSecondaryKeys(primary, others.iterator(), patienceMs);
        }
    }

    private static byte[] primary(Map<ByteString, ByteString> pairs) {
        return pairs.keySet().iterator().next().toByteArray();
    }

    static BackOffer backOff() {
        return backOff(PATIENCE_MS);
    }

    static BackOffer backOff(int patienceMs) {
        return ConcreteBackOffer.newCustomBackOff(patienceMs);
    }
}
