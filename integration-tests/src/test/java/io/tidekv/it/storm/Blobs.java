package io.tidekv.it.storm;

import com.google.protobuf.ByteString;
import io.tidekv.proto.kvrpcpb.RawGetResponse;
import io.tidekv.proto.kvrpcpb.RawPutRequest;
import io.tidekv.proto.kvrpcpb.RawPutResponse;
import java.util.HashSet;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Large raw values that are overwritten all the while, so that table files are published, replaced
 * and become garbage. What a value must be follows from its key and version.
 */
final class Blobs {
    private static final int KEYS = 40;
    private static final int BYTES = 12 << 10;

    private final Cluster cluster;
    private final Map<String, Written> written = new ConcurrentHashMap<>();
    private final AtomicLong bytes = new AtomicLong();

    /** Versions of a key, which one client writes. */
    private static final class Written {
        private long attempted;
        private long acknowledged;

        /** Of unknown fate: they may take effect whenever they like. */
        private final Set<Long> unknown = new HashSet<>();
    }

    Blobs(Cluster cluster) {
        this.cluster = cluster;
    }

    /** Where regions may be divided, in stored form of V1's raw keys. */
    static String key(int client, int n) {
        return "b" + (char) ('a' + n % 26) + "-" + n + "-" + client;
    }

    /** One client, until the storm is over. */
    void run(int client, Random random, Pace pace) {
        try (RawCalls calls = new RawCalls(cluster)) {
            while (pace.pass(random.nextInt(40))) {
                put(calls, key(client, random.nextInt(KEYS)));
            }
        }
    }

    /** Writes every key of the client once more; each must succeed. */
    void rewrite(int client) {
        try (RawCalls calls = new RawCalls(cluster)) {
            for (int n = 0; n < KEYS; n++) {
                for (int tries = 0; !put(calls, key(client, n)); tries++) {
                    if (tries == 600) {
                        throw new AssertionError(key(client, n) + " cannot be written");
                    }
                }
            }
        }
    }

    /** Bytes that were acknowledged. */
    long bytes() {
        return bytes.get();
    }

    private boolean put(RawCalls calls, String key) {
        Written state = written.computeIfAbsent(key, k -> new Written());
        long version = ++state.attempted;
        RawCalls.Outcome<RawPutResponse> outcome =
                calls.put(key, RawPutRequest.newBuilder().setValue(value(key, version)));
        if (outcome.answer() != null) {
            state.acknowledged = version;
            bytes.addAndGet(BYTES);
            return true;
        } else if (outcome.mayHaveHappened()) {
            state.unknown.add(version);
        }
        return false;
    }

    /** Reads everything: each value is whole, and the last acknowledged one or a later. */
    void verify() {
        try (RawCalls calls = new RawCalls(cluster)) {
            written.forEach((key, state) -> verify(key, state, read(calls, key)));
        }
    }

    private static void verify(String key, Written state, RawGetResponse answer) {
        if (answer.getNotFound()) {
            if (state.acknowledged != 0) {
                throw new AssertionError(key + " is lost, version " + state.acknowledged);
            }
            return;
        }
        ByteString seen = answer.getValue();
        String head = seen.substring(0, Math.min(seen.size(), 100)).toStringUtf8();
        long version = Long.parseLong(head.substring(0, head.indexOf(':')));
        boolean possible =
                (version >= state.acknowledged && version <= state.attempted)
                        || state.unknown.contains(version);
        if (!possible || !seen.equals(value(key, version))) {
            throw new AssertionError(
                    key
                            + " has version "
                            + version
                            + " after "
                            + state.acknowledged
                            + " was acknowledged, or other bytes than were written");
        }
    }

    private static RawGetResponse read(RawCalls calls, String key) {
        for (int tries = 0; tries < 1200; tries++) {
            RawCalls.Outcome<RawGetResponse> outcome = calls.get(key);
            if (outcome.answer() != null) {
                return outcome.answer();
            }
        }
        throw new AssertionError(key + " cannot be read after the storm");
    }

    private static ByteString value(String key, long version) {
        byte[] noise = new byte[BYTES];
        new Random(key.hashCode() * 31L + version).nextBytes(noise);
        return ByteString.copyFromUtf8(version + ":" + key + ":")
                .concat(ByteString.copyFrom(noise));
    }
}
