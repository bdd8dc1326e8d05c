package io.tidekv.compute.service;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidekv.proto.kvrpcpb.GetResponse;
import io.tidekv.proto.kvrpcpb.KeyError;
import io.tidekv.proto.kvrpcpb.Mutation;
import io.tidekv.proto.kvrpcpb.Op;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Random transactions and reads against a naive model of snapshot isolation. */
class MvccModelTest {
    private static final int KEYS = 12;

    /** What a key holds at a commit timestamp; null for deleted. */
    private record Change(String value) {}

    private record Lock(long startTs, Op op, String value) {}

    /** The naive store. */
    private static final class Model {
        final Map<String, NavigableMap<Long, Change>> changes = new TreeMap<>();
        final Map<String, Long> newestRecord = new TreeMap<>();
        final Map<String, Lock> locks = new TreeMap<>();

        String visible(String key, long ts) {
            NavigableMap<Long, Change> versions = changes.getOrDefault(key, new TreeMap<>());
            var entry = versions.floorEntry(ts);
            return entry == null ? null : entry.getValue().value;
        }

        boolean blocked(String key, long ts) {
            Lock lock = locks.get(key);
            return lock != null && lock.op != Op.Lock && lock.startTs <= ts;
        }

        void commit(String key, long commitTs) {
            Lock lock = locks.remove(key);
            newestRecord.merge(key, commitTs, Math::max);
            if (lock.op != Op.Lock) {
                changes.computeIfAbsent(key, k -> new TreeMap<>())
                        .put(commitTs, new Change(lock.op == Op.Del ? null : lock.value));
            }
        }
    }

    private final TxnClient txn = new TxnClient();
    private final Model model = new Model();
    private final List<List<Mutation>> open = new ArrayList<>();
    private final List<Long> openStarts = new ArrayList<>();
    private final Set<Long> used = new HashSet<>();
    private long now = 10;

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12})
    void agreesWithTheModel(long seed) {
        Random random = new Random(seed);
        try (txn) {
            for (int step = 0; step < 250; step++) {
                now++;
                switch (random.nextInt(6)) {
                    case 0, 1 -> prewrite(random, seed);
                    case 2 -> commit(random);
                    case 3 -> rollback(random);
                    case 4 -> get(random, seed);
                    default -> scan(random, seed);
                }
            }
        }
    }

    private void prewrite(Random random, long seed) {
        // Sometimes an old start, so that conflicts happen.
        long start = random.nextInt(3) == 0 ? Math.max(1, now - random.nextInt(20)) : now;
        // PD gives no timestamp twice.
        if (!used.add(start)) {
            return;
        }
        TreeMap<String, Mutation> mutations = new TreeMap<>();
        for (int i = 0; i <= random.nextInt(4); i++) {
            Mutation mutation = mutation(random);
            mutations.put(mutation.getKey().toStringUtf8(), mutation);
        }
        List<KeyError> errors = txn.prewrite(start, mutations.values().toArray(Mutation[]::new));
        String expected = expected(start, mutations);
        assertThat(kind(errors)).as("seed %d at %d", seed, now).isEqualTo(expected);
        if (expected.isEmpty()) {
            mutations.forEach(
                    (key, m) ->
                            model.locks.put(
                                    key,
                                    new Lock(
                                            start,
                                            m.getOp() == Op.Insert ? Op.Put : m.getOp(),
                                            m.getValue().toStringUtf8())));
            open.add(List.copyOf(mutations.values()));
            openStarts.add(start);
        }
    }

    private String expected(long start, TreeMap<String, Mutation> mutations) {
        int locked = 0;
        for (Map.Entry<String, Mutation> entry : mutations.entrySet()) {
            String key = entry.getKey();
            if (model.locks.containsKey(key)) {
                locked++;
            } else if (model.newestRecord.getOrDefault(key, 0L) > start) {
                return "conflict";
            } else if (entry.getValue().getOp() == Op.Insert
                    && model.visible(key, Long.MAX_VALUE) != null) {
                return "exists";
            }
        }
        return locked == 0 ? "" : "locked" + locked;
    }

    private static String kind(List<KeyError> errors) {
        if (errors.isEmpty()) {
            return "";
        }
        KeyError first = errors.get(0);
        return first.hasConflict()
                ? "conflict"
                : first.hasAlreadyExist() ? "exists" : "locked" + errors.size();
    }

    private void commit(Random random) {
        if (open.isEmpty()) {
            return;
        }
        if (!used.add(now)) {
            return;
        }
        int index = random.nextInt(open.size());
        long start = openStarts.remove(index);
        String[] keys = keys(open.remove(index));
        assertThat(txn.commit(start, now, keys).hasError()).isFalse();
        for (String key : keys) {
            model.commit(key, now);
        }
        now++;
    }

    private void rollback(Random random) {
        if (open.isEmpty()) {
            return;
        }
        int index = random.nextInt(open.size());
        long start = openStarts.remove(index);
        String[] keys = keys(open.remove(index));
        assertThat(txn.rollback(start, keys)).isEqualTo(KeyError.getDefaultInstance());
        for (String key : keys) {
            model.locks.remove(key);
            model.newestRecord.merge(key, start, Math::max);
        }
    }

    private void get(Random random, long seed) {
        String key = key(random);
        long ts = ts(random);
        GetResponse response = txn.get(key, ts);
        String shown =
                response.hasError()
                        ? "!"
                        : response.getNotFound() ? null : response.getValue().toStringUtf8();
        String expected = model.blocked(key, ts) ? "!" : model.visible(key, ts);
        assertThat(shown).as("seed %d, %s at %d", seed, key, ts).isEqualTo(expected);
    }

    private void scan(Random random, long seed) {
        long ts = ts(random);
        String from = key(random);
        String to = key(random);
        boolean reverse = random.nextBoolean();
        int limit = 1 + random.nextInt(KEYS);
        TreeMap<String, String> expected = new TreeMap<>();
        for (int i = 0; i < KEYS; i++) {
            String key = "k" + (char) ('a' + i);
            boolean inside = key.compareTo(from) >= 0 && key.compareTo(to) < 0;
            if (inside && model.blocked(key, ts)) {
                expected.put(key, "!" + key);
            } else if (inside && model.visible(key, ts) != null) {
                expected.put(key, key + "=" + model.visible(key, ts));
            }
        }
        List<String> wanted =
                (reverse ? expected.descendingMap() : expected)
                        .values().stream().limit(limit).toList();
        var request =
                reverse ? txn.scanOf(to, from, ts).setReverse(true) : txn.scanOf(from, to, ts);
        assertThat(txn.shown(txn.scan(request.setLimit(limit))))
                .as("seed %d, %s..%s at %d", seed, from, to, ts)
                .isEqualTo(wanted);
    }

    private long ts(Random random) {
        return Math.max(1, now - random.nextInt(40));
    }

    private static String key(Random random) {
        return "k" + (char) ('a' + random.nextInt(KEYS));
    }

    private static String[] keys(List<Mutation> mutations) {
        return mutations.stream().map(m -> m.getKey().toStringUtf8()).toArray(String[]::new);
    }

    private Mutation mutation(Random random) {
        String value = random.nextInt(5) == 0 ? "x".repeat(300) + now : "v" + now;
        String key = key(random);
        return switch (random.nextInt(6)) {
            case 0 -> TxnClient.of(Op.Del, key);
            case 1 -> TxnClient.of(Op.Lock, key);
            case 2 -> TxnClient.insert(key, value);
            default -> TxnClient.put(key, value);
        };
    }
}
