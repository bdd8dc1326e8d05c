package io.tidekv.it.storm;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.tikv.common.BytePairWrapper;
import org.tikv.common.ByteWrapper;
import org.tikv.common.TiConfiguration;
import org.tikv.common.TiSession;
import org.tikv.common.util.BackOffer;
import org.tikv.common.util.ConcreteBackOffer;
import org.tikv.kvproto.Kvrpcpb.KvPair;
import org.tikv.shade.com.google.protobuf.ByteString;
import org.tikv.txn.KVClient;
import org.tikv.txn.TwoPhaseCommitter;

/** Optimistic transactions over strings, through an unmodified Java client. Thread-safe. */
final class Transactions implements AutoCloseable {
    private static final int PATIENCE_MILLIS = 8_000;
    private static final long LOCK_TTL_MILLIS = 3_000;

    private final TiSession session;

    /** The transaction certainly had no effect. */
    static final class Aborted extends Exception {
        private static final long serialVersionUID = 1L;

        Aborted(Throwable cause) {
            super(cause);
        }
    }

    /** It may have been committed, at the given timestamp. */
    static final class Unknown extends Exception {
        private static final long serialVersionUID = 1L;

        Unknown(Throwable cause) {
            super(cause);
        }
    }

    Transactions(Cluster cluster) {
        TiConfiguration conf = TiConfiguration.createDefault(cluster.pdAddresses());
        conf.setTimeout(PATIENCE_MILLIS);
        session = TiSession.create(conf);
    }

    long timestamp() throws Aborted {
        try {
            return session.getTimestamp().getVersion();
        } catch (RuntimeException e) {
            throw new Aborted(e);
        }
    }

    /** The values as of a timestamp; keys without one are left out. */
    Map<String, String> read(List<String> keys, long ts) throws Aborted {
        // One client for each: it keeps the locks that a read may pass for all reads that follow,
        // whatever their timestamps.
        try (KVClient client = session.createKVClient()) {
            // The client sorts the list that it is given.
            List<ByteString> names = new ArrayList<>();
            keys.forEach(key -> names.add(ByteString.copyFromUtf8(key)));
            Map<String, String> values = new LinkedHashMap<>();
            for (KvPair pair : client.batchGet(backOff(), names, ts)) {
                if (!pair.getValue().isEmpty()) {
                    values.put(pair.getKey().toStringUtf8(), pair.getValue().toStringUtf8());
                }
            }
            return values;
        } catch (Exception e) {
            throw new Aborted(e);
        }
    }

    /** Writes all or nothing; returns the commit timestamp. */
    long commit(Map<String, String> writes, long start) throws Aborted, Unknown {
        List<Map.Entry<String, String>> all = new ArrayList<>(writes.entrySet());
        byte[] primary = bytes(all.get(0).getKey());
        List<BytePairWrapper> others = new ArrayList<>();
        List<ByteWrapper> names = new ArrayList<>();
        for (Map.Entry<String, String> entry : all.subList(1, all.size())) {
            others.add(new BytePairWrapper(bytes(entry.getKey()), bytes(entry.getValue())));
            names.add(new ByteWrapper(bytes(entry.getKey())));
        }
        try (TwoPhaseCommitter committer = new TwoPhaseCommitter(session, start, LOCK_TTL_MILLIS)) {
            long commitTs;
            try {
                committer.prewritePrimaryKey(backOff(), primary, bytes(all.get(0).getValue()));
                if (!others.isEmpty()) {
                    committer.prewriteSecondaryKeys(primary, others.iterator(), PATIENCE_MILLIS);
                }
                commitTs = timestamp();
            } catch (RuntimeException e) {
                throw new Aborted(e);
            }
            try {
                committer.commitPrimaryKey(backOff(), primary, commitTs);
            } catch (Exception e) {
                throw new Unknown(e);
            }
            try {
                if (!names.isEmpty()) {
                    committer.commitSecondaryKeys(names.iterator(), commitTs, PATIENCE_MILLIS);
                }
            } catch (RuntimeException e) {
                // It is committed; who meets the locks resolves them.
            }
            return commitTs;
        } catch (Aborted | Unknown e) {
            throw e;
        } catch (Exception e) {
            throw new Aborted(e);
        }
    }

    private static byte[] bytes(String text) {
        return ByteString.copyFromUtf8(text).toByteArray();
    }

    private static BackOffer backOff() {
        return ConcreteBackOffer.newCustomBackOff(PATIENCE_MILLIS);
    }

    @Override
    public void close() throws Exception {
        session.close();
    }
}
