package io.tidekv.cli.bench;

import com.google.protobuf.ByteString;
import io.tidekv.cli.client.KvClient;
import io.tidekv.cli.client.RawKv;
import io.tidekv.cli.client.TxnKv;
import io.tidekv.common.Randomness;
import java.util.concurrent.CompletableFuture;

/** What one operation of a client is. */
enum Workload {
    RAW_PUT("raw-put", false),
    RAW_GET("raw-get", true),
    RAW_SCAN("raw-scan", true),
    TXN_PUT("txn-put", false),
    TXN_GET("txn-get", true);

    private static final int SCAN_LIMIT = 100;

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
            case TXN_PUT -> new TxnKv(client).put(key, value);
            case TXN_GET -> new TxnKv(client).get(key);
        };
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
