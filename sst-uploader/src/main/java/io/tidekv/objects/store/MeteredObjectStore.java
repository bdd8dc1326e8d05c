package io.tidekv.objects.store;

import io.prometheus.metrics.core.datapoints.DistributionDataPoint;
import io.prometheus.metrics.core.metrics.Counter;
import io.prometheus.metrics.core.metrics.Histogram;
import io.tidekv.common.metrics.Metrics;
import io.tidekv.common.time.Clock;
import io.tidekv.objects.cost.Prices;
import io.tidekv.objects.cost.Requests;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Counts and times the calls to another store, and says what they cost. Requests are counted as S3
 * bills them, whatever the store is; its own retries are not seen. Closing it closes the other
 * store.
 */
public final class MeteredObjectStore implements ObjectStore {
    private final ObjectStore base;
    private final Clock clock;
    private final Histogram seconds;
    private final Counter failures;
    private final Counter bytes;
    private final Counter requests;

    /** As below, with list prices. */
    public MeteredObjectStore(ObjectStore base, Metrics metrics, Clock clock) {
        this(base, metrics, clock, Prices.DEFAULT);
    }

    /** Registers its metrics, so there is one for each {@code metrics}. */
    public MeteredObjectStore(ObjectStore base, Metrics metrics, Clock clock, Prices prices) {
        this.base = base;
        this.clock = clock;
        this.seconds =
                metrics.seconds(
                        "tidekv_object_store_seconds",
                        "Time of calls to the object store, with their retries.",
                        "operation");
        this.failures =
                metrics.counter(
                        "tidekv_object_store_failures_total",
                        "Calls to the object store that failed.",
                        "operation",
                        "kind");
        this.bytes =
                metrics.counter(
                        "tidekv_object_store_bytes_total",
                        "Contents written to and read from the object store.",
                        "direction");
        this.requests =
                metrics.counter(
                        "tidekv_object_store_requests_total",
                        "Requests to the object store as S3 bills them: an upload in parts is"
                                + " several puts, HEAD is a get.",
                        "kind");
        for (String kind : new String[] {"put", "get", "list", "delete"}) {
            requests.initLabelValues(kind);
        }
        metrics.gauge(
                "tidekv_object_store_request_dollars",
                "Price of the requests since the start.",
                () -> requests().dollars(prices));
    }

    /** What has been asked of the store so far. */
    public Requests requests() {
        return new Requests(
                requests.labelValues("put").getLongValue(),
                requests.labelValues("get").getLongValue(),
                requests.labelValues("list").getLongValue(),
                requests.labelValues("delete").getLongValue(),
                bytes.labelValues("written").getLongValue(),
                bytes.labelValues("read").getLongValue());
    }

    private static long putsOf(long length) {
        S3Limits limits = S3Limits.DEFAULT;
        if (length < limits.multipartBytes()) {
            return 1;
        }
        return 2 + (length + limits.partBytes() - 1) / limits.partBytes();
    }

    private <T extends @Nullable Object> T time(String operation, Supplier<T> call) {
        String kind =
                switch (operation) {
                    case "put", "put_file" -> "put";
                    case "list", "delete" -> operation;
                    default -> "get";
                };
        requests.labelValues(kind).inc();
        DistributionDataPoint histogram = seconds.labelValues(operation);
        long start = clock.monotonicNanos();
        try {
            return call.get();
        } catch (ObjectStoreException e) {
            failures.labelValues(operation, e.kind().name().toLowerCase(Locale.ROOT)).inc();
            throw e;
        } finally {
            histogram.observe((clock.monotonicNanos() - start) / 1e9);
        }
    }

    private void moved(String direction, long count) {
        bytes.labelValues(direction).inc(count);
    }

    @Override
    public void putIfAbsent(String name, byte[] content) {
        time(
                "put",
                () -> {
                    base.putIfAbsent(name, content);
                    return name;
                });
        moved("written", content.length);
    }

    @Override
    public void putFileIfAbsent(String name, Path file, int crc32c) {
        long length = time("put_file", () -> putFile(name, file, crc32c));
        moved("written", length);
        requests.labelValues("put").inc(putsOf(length) - 1);
    }

    private long putFile(String name, Path file, int crc32c) {
        base.putFileIfAbsent(name, file, crc32c);
        try {
            return Files.size(file);
        } catch (IOException e) {
            // It is stored; that its length is not counted harms nobody.
            return 0;
        }
    }

    @Override
    public @Nullable ObjectInfo head(String name) {
        return time("head", () -> base.head(name));
    }

    @Override
    public byte[] get(String name, long bytesMax) {
        byte[] content = time("get", () -> base.get(name, bytesMax));
        moved("read", content.length);
        return content;
    }

    @Override
    public byte[] getRange(String name, long offset, int length) {
        byte[] content = time("get_range", () -> base.getRange(name, offset, length));
        moved("read", content.length);
        return content;
    }

    @Override
    public ObjectInfo getToFile(String name, Path target) {
        ObjectInfo info = time("get_file", () -> base.getToFile(name, target));
        moved("read", info.length());
        return info;
    }

    @Override
    public List<ObjectInfo> list(String prefix, String after, int limit) {
        List<ObjectInfo> found = time("list", () -> base.list(prefix, after, limit));
        requests.labelValues("list").inc(Math.max(0, (found.size() - 1) / 1000));
        return found;
    }

    @Override
    public void delete(String name) {
        time(
                "delete",
                () -> {
                    base.delete(name);
                    return name;
                });
    }

    @Override
    public String describe() {
        return base.describe();
    }

    @Override
    public void close() {
        base.close();
    }
}
