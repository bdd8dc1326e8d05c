package io.tidekv.cli.bench;

import com.google.protobuf.ByteString;
import io.tidekv.cli.client.KvClient;
import io.tidekv.cli.client.RawKv;
import io.tidekv.cli.client.TxnKv;
import io.tidekv.common.Randomness;
import io.tidekv.proto.kvrpcpb.KvPair;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/** What one operation of a client is. */
enum Workload {
    RAW_PUT("raw-put", false),
    RAW_GET("raw-get", true),
    RAW_SCAN("raw-scan", true),
    RAW_BATCH_PUT("raw-batch-put", false),
    TXN_PUT("txn-put", false),
    TXN_PUT_1PC("txn-put-1pc", false),
    TXN_GET("txn-get", true),
    TSO("tso", false);

    private static final int SCAN_LIMIT = 100;
    private static final int BATCH = 100;

    private final String text;
    private final boolean reads;

    Workload(String text, boolean reads) {
        this.text = text;
        this.reads = reads;
    }

    /** Reads need keys that are there. */
    boolean reads() {
        return reads;
    }

    /** The workload that writes what this one reads. */
    Workload loader() {
        return this == TXN_GET ? TXN_PUT : RAW_PUT;
    }

    /** One operation on the given key. */
    CompletableFuture<?> run(KvClient client, ByteString key, ByteString value) {
        return switch (this) {
            case RAW_PUT -> new RawKv(client).put(key, value, 0);
            case RAW_GET -> new RawKv(client).get(key);
            case RAW_SCAN -> new RawKv(client).scan(key, ByteString.EMPTY, SCAN_LIMIT);
            case RAW_BATCH_PUT -> new RawKv(client).putAll(batch(key, value));
            case TXN_PUT -> new TxnKv(client).put(key, value);
            case TXN_PUT_1PC -> new TxnKv(client, true).put(key, value);
            case TSO -> client.timestamp();
            case TXN_GET -> new TxnKv(client).get(key);
        };
    }

    /** Pairs that follow each other. */
    private static List<KvPair> batch(ByteString key, ByteString value) {
        List<KvPair> pairs = new ArrayList<>(BATCH);
        for (int i = 0; i < BATCH; i++) {
            pairs.add(KvPair.newBuilder().setKey(member(key, i)).setValue(value).build());
        }
        return pairs;
    }

    /** A key of a batch. */
    static ByteString member(ByteString key, int number) {
        return key.concat(ByteString.copyFromUtf8((number < 10 ? "-0" : "-") + number));
    }

    static ByteString value(int size, Randomness random) {
        byte[] bytes = new byte[size];
        random.nextBytes(bytes);
        return ByteString.copyFrom(bytes);
    }

    /** As on the command line. */
    @Override
    public String toString() {
        return text;
    }
}
