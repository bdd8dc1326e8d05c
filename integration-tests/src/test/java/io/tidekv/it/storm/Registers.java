package io.tidekv.it.storm;

import com.google.protobuf.ByteString;
import io.tidekv.common.history.RegisterOp;
import io.tidekv.proto.kvrpcpb.RawCASRequest;
import io.tidekv.proto.kvrpcpb.RawCASResponse;
import io.tidekv.proto.kvrpcpb.RawGetResponse;
import io.tidekv.proto.kvrpcpb.RawPutRequest;
import io.tidekv.proto.kvrpcpb.RawPutResponse;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicLong;

/** Clients that read, write and swap a few raw keys, and remember what they saw. */
final class Registers {
    private static final int KEYS = 8;

    /** Worth a line in the output. */
    private static final long LONG_GAP_NANOS = 5_000_000_000L;

    private final Cluster cluster;
    private final List<RegisterOp> history = new ArrayList<>();
    private final AtomicLong lastAnswer = new AtomicLong(System.nanoTime());
    private final AtomicLong longestGap = new AtomicLong();
    private int unknown;
    private int refused;

    Registers(Cluster cluster) {
        this.cluster = cluster;
    }

    /**
     * So short that encoded keys, where alone transactional clients may meet a border, divide them.
     */
    static String key(int n) {
        return "r" + n;
    }

    /** One client, until the storm is over. */
    void run(int client, Random random, Pace pace) {
        try (RawCalls calls = new RawCalls(cluster)) {
            String seen = null;
            for (int i = 0; pace.goesOn(); i++) {
                String key = key(random.nextInt(KEYS));
                String value = client + "-" + i;
                seen =
                        switch (random.nextInt(4)) {
                            case 0 -> put(calls, key, value, seen);
                            case 1 -> swap(calls, key, seen, value);
                            default -> get(calls, key, seen);
                        };
                pace.pass(random.nextInt(6));
            }
        }
    }

    /** Reads everything once more, when nothing is hurt any more. */
    void readAll() {
        try (RawCalls calls = new RawCalls(cluster)) {
            for (int n = 0; n < KEYS; n++) {
                int before = history().size();
                for (int tries = 0; history().size() == before; tries++) {
                    if (tries == 600) {
                        throw new AssertionError(key(n) + " cannot be read after the storm");
                    }
                    get(calls, key(n), null);
                }
            }
        }
    }

    private String get(RawCalls calls, String key, String before) {
        long began = System.nanoTime();
        RawCalls.Outcome<RawGetResponse> outcome = calls.get(key);
        if (outcome.answer() == null) {
            add(null, outcome);
            return before;
        }
        RawGetResponse answer = outcome.answer();
        String seen = answer.getNotFound() ? null : answer.getValue().toStringUtf8();
        add(RegisterOp.read(key, seen, began, System.nanoTime()), outcome);
        return seen;
    }

    private String put(RawCalls calls, String key, String value, String before) {
        long began = System.nanoTime();
        RawCalls.Outcome<RawPutResponse> outcome =
                calls.put(
                        key,
                        RawPutRequest.newBuilder()
                                .setValue(ByteString.copyFromUtf8(value))
                                .setForCas(true));
        if (outcome.mayHaveHappened()) {
            add(RegisterOp.write(key, value, began, end(outcome)), outcome);
        } else {
            add(null, outcome);
        }
        return before;
    }

    private String swap(RawCalls calls, String key, String expected, String value) {
        long began = System.nanoTime();
        RawCASRequest.Builder request =
                RawCASRequest.newBuilder()
                        .setKey(ByteString.copyFromUtf8(key))
                        .setValue(ByteString.copyFromUtf8(value));
        if (expected == null) {
            request.setPreviousNotExist(true);
        } else {
            request.setPreviousValue(ByteString.copyFromUtf8(expected));
        }
        RawCalls.Outcome<RawCASResponse> outcome =
                calls.call(
                        key,
                        (stub, context) ->
                                stub.rawCompareAndSwap(request.setContext(context).build()),
                        RawCASResponse::getRegionError,
                        RawCASResponse::getError);
        RawCASResponse answer = outcome.answer();
        if (answer != null && !answer.getSucceed()) {
            String seen =
                    answer.getPreviousNotExist() ? null : answer.getPreviousValue().toStringUtf8();
            add(RegisterOp.read(key, seen, began, System.nanoTime()), outcome);
            return seen;
        }
        if (outcome.mayHaveHappened()) {
            add(RegisterOp.swap(key, expected, value, began, end(outcome)), outcome);
            return answer == null ? expected : value;
        }
        add(null, outcome);
        return expected;
    }

    private static long end(RawCalls.Outcome<?> outcome) {
        return outcome.answer() == null ? RegisterOp.NEVER : System.nanoTime();
    }

    private void add(RegisterOp op, RawCalls.Outcome<?> outcome) {
        synchronized (history) {
            if (op != null) {
                history.add(op);
            }
            if (outcome.answer() != null) {
                long now = System.nanoTime();
                long gap = now - lastAnswer.getAndSet(now);
                longestGap.accumulateAndGet(gap, Math::max);
                if (gap > LONG_GAP_NANOS) {
                    System.out.printf(
                            "%s: no register answered for %d ms%n", Instant.now(), gap / 1_000_000);
                }
            } else if (outcome.mayHaveHappened()) {
                unknown++;
            } else {
                refused++;
            }
        }
    }

    List<RegisterOp> history() {
        synchronized (history) {
            return List.copyOf(history);
        }
    }

    /** What is printed of a run. */
    String row() {
        synchronized (history) {
            return String.format(
                    java.util.Locale.ROOT,
                    "%d answered, %d refused, %d unknown, longest silence %.1f s",
                    history.size(),
                    refused,
                    unknown,
                    longestGap.get() / 1e9);
        }
    }
}
