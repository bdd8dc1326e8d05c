package io.tidekv.pd.keyspace;

import com.google.protobuf.ByteString;
import io.tidekv.common.codec.Memcomparable;
import io.tidekv.common.time.Clock;
import io.tidekv.pd.core.PdState;
import io.tidekv.pd.keyspace.KeyspaceTable.Found;
import io.tidekv.pd.log.StateLog;
import io.tidekv.proto.etcdserverpb.TxnRequest;
import io.tidekv.proto.keyspacepb.KeyspaceMeta;
import io.tidekv.proto.keyspacepb.KeyspaceState;
import io.tidekv.proto.pdstate.Command;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The keyspaces of a cluster: made, looked up, and led through their states. Thread-safe. What
 * cannot be done is a {@link KeyspaceException}, thrown or in the future. Source of the rules:
 * tikv/pd {@code pkg/keyspace}.
 */
public final class Keyspaces {
    static final String BOUND_TYPE = "region_bound_type";
    static final String BOUND_TYPE_ALL = "all";

    private static final int API_V2 = 3;
    private static final int PREFIX_BYTES = 4;
    private static final int ATTEMPTS = 16;
    private static final Pattern NAME = Pattern.compile("[-A-Za-z0-9_]{1,20}");

    private static final Map<KeyspaceState, Set<KeyspaceState>> NEXT =
            Map.of(
                    KeyspaceState.ENABLED,
                    Set.of(KeyspaceState.ENABLED, KeyspaceState.DISABLED),
                    KeyspaceState.DISABLED,
                    Set.of(KeyspaceState.DISABLED, KeyspaceState.ENABLED, KeyspaceState.ARCHIVED),
                    KeyspaceState.ARCHIVED,
                    Set.of(KeyspaceState.ARCHIVED, KeyspaceState.TOMBSTONE),
                    KeyspaceState.TOMBSTONE,
                    Set.of(KeyspaceState.TOMBSTONE));

    private final StateLog log;
    private final Clock clock;
    private final Consumer<List<ByteString>> splitter;
    private final List<Consumer<KeyspaceMeta>> watchers = new CopyOnWriteArrayList<>();

    /**
     * @param splitter is asked to divide regions at stored keys, the borders of a new keyspace; it
     *     may fail to, for no region needs to end there
     */
    public Keyspaces(StateLog log, Clock clock, Consumer<List<ByteString>> splitter) {
        this.log = log;
        this.clock = clock;
        this.splitter = splitter;
    }

    /** Whether the cluster has it, in whatever state. */
    public static boolean exists(PdState state, int id) {
        return KeyspaceTable.byId(state, id) != null;
    }

    /** Whether a keyspace begins or ends at a stored key: regions are to end there, too. */
    public static boolean isBorder(PdState state, ByteString key) {
        if (state.settings().getApiMode() != API_V2 || key.size() < PREFIX_BYTES) {
            return false;
        }
        byte mode = key.byteAt(0);
        int id =
                (key.byteAt(1) & 0xff) << 16 | (key.byteAt(2) & 0xff) << 8 | (key.byteAt(3) & 0xff);
        return (mode == 'r' || mode == 'x')
                && key.equals(border(mode, id))
                && (exists(state, id) || (id > 0 && exists(state, id - 1)));
    }

    public KeyspaceMeta byName(String name) {
        return present(log.read(state -> KeyspaceTable.byName(state, name))).meta();
    }

    public KeyspaceMeta byId(int id) {
        return present(log.read(state -> KeyspaceTable.byId(state, id))).meta();
    }

    /** From an id on, in order; {@code limit} 0: all. */
    public List<KeyspaceMeta> from(int startId, int limit) {
        return log.read(state -> KeyspaceTable.from(state, startId, limit));
    }

    /** Makes an enabled keyspace with a new id. */
    public CompletableFuture<KeyspaceMeta> create(String name, Map<String, String> config) {
        if (!NAME.matcher(name).matches()) {
            return refused(
                    "illegal keyspace name "
                            + name
                            + ", should contain only alphanumerical and underline");
        }
        long now = clock.wallMillis() / 1000;
        return change(
                        state -> {
                            if (KeyspaceTable.byName(state, name) != null) {
                                throw KeyspaceException.refused(
                                        "[PD:keyspace:ErrKeyspaceExists]keyspace already exists");
                            }
                            int id = KeyspaceTable.nextId(state);
                            if (id > KeyspaceTable.ID_MAX) {
                                throw KeyspaceException.refused("there are no more keyspace ids");
                            }
                            KeyspaceMeta made =
                                    KeyspaceMeta.newBuilder()
                                            .setId(id)
                                            .setName(name)
                                            .setState(KeyspaceState.ENABLED)
                                            .setCreatedAt(now)
                                            .setStateChangedAt(now)
                                            .putAllConfig(config)
                                            .putConfig(BOUND_TYPE, BOUND_TYPE_ALL)
                                            .build();
                            return new Change(KeyspaceTable.create(state, made), made);
                        },
                        ATTEMPTS)
                .thenApply(
                        made -> {
                            if (log.read(state -> state.settings().getApiMode()) == API_V2) {
                                splitter.accept(borders(made.getId()));
                            }
                            return made;
                        });
    }

    public CompletableFuture<KeyspaceMeta> changeState(int id, KeyspaceState to) {
        long now = clock.wallMillis() / 1000;
        return replace(
                state -> KeyspaceTable.byId(state, id),
                meta -> {
                    if (id == 0) {
                        throw KeyspaceException.refused(
                                "[PD:keyspace:ErrModifyDefaultKeyspace]cannot modify default"
                                        + " keyspace's state");
                    }
                    if (!NEXT.getOrDefault(meta.getState(), Set.of()).contains(to)) {
                        throw KeyspaceException.refused(
                                "cannot change keyspace state from "
                                        + meta.getState()
                                        + " to "
                                        + to);
                    }
                    return meta.getState() == to
                            ? meta
                            : meta.toBuilder().setState(to).setStateChangedAt(now).build();
                });
    }

    /** Sets entries of the configuration; a null value removes one. */
    public CompletableFuture<KeyspaceMeta> configure(
            String name, Map<String, @Nullable String> changes) {
        return replace(
                state -> KeyspaceTable.byName(state, name),
                meta -> {
                    boolean open =
                            meta.getId() != 0
                                    && (meta.getState() == KeyspaceState.ENABLED
                                            || meta.getState() == KeyspaceState.DISABLED);
                    if (!open) {
                        throw KeyspaceException.refused(
                                "cannot update keyspace "
                                        + meta.getName()
                                        + "'s config when its state is "
                                        + meta.getState());
                    }
                    KeyspaceMeta.Builder changed = meta.toBuilder();
                    changes.forEach(
                            (key, value) -> {
                                if (value == null) {
                                    changed.removeConfig(key);
                                } else {
                                    changed.putConfig(key, value);
                                }
                            });
                    return changed.build();
                });
    }

    /** Tells {@code watcher} of each change made through this node; until {@link #leave}. */
    public void watch(Consumer<KeyspaceMeta> watcher) {
        watchers.add(watcher);
    }

    public void leave(Consumer<KeyspaceMeta> watcher) {
        watchers.remove(watcher);
    }

    private record Change(@Nullable TxnRequest request, KeyspaceMeta after) {}

    private CompletableFuture<KeyspaceMeta> replace(
            Function<PdState, @Nullable Found> find, Function<KeyspaceMeta, KeyspaceMeta> edit) {
        return change(
                state -> {
                    Found found = present(find.apply(state));
                    KeyspaceMeta after = edit.apply(found.meta());
                    return after.equals(found.meta())
                            ? new Change(null, after)
                            : new Change(KeyspaceTable.replace(state, found, after), after);
                },
                ATTEMPTS);
    }

    /** Plans a change on the state as it is, and plans anew when somebody was faster. */
    private CompletableFuture<KeyspaceMeta> change(Function<PdState, Change> plan, int attempts) {
        Change change;
        try {
            change = log.read(plan);
        } catch (KeyspaceException e) {
            return CompletableFuture.failedFuture(e);
        }
        TxnRequest request = change.request();
        if (request == null) {
            return CompletableFuture.completedFuture(change.after());
        }
        return log.submit(Command.newBuilder().setChangeKeys(request).build())
                .thenCompose(
                        result -> {
                            if (result.hasFailure()) {
                                return refused(result.getFailure().getMessage());
                            }
                            if (result.getKeysChanged().getSucceeded()) {
                                watchers.forEach(watcher -> watcher.accept(change.after()));
                                return CompletableFuture.completedFuture(change.after());
                            }
                            return attempts > 1
                                    ? change(plan, attempts - 1)
                                    : refused("the keyspaces change too fast: try again");
                        });
    }

    private static Found present(@Nullable Found found) {
        if (found == null) {
            throw KeyspaceException.notFound();
        }
        return found;
    }

    private static <T> CompletableFuture<T> refused(String message) {
        return CompletableFuture.failedFuture(KeyspaceException.refused(message));
    }

    /** The stored keys at which a keyspace's raw and transactional data begin and end. */
    static List<ByteString> borders(int id) {
        List<ByteString> borders = new ArrayList<>();
        for (char mode : new char[] {'r', 'x'}) {
            for (int at : new int[] {id, id + 1}) {
                borders.add(border((byte) mode, at));
            }
        }
        return borders;
    }

    private static ByteString border(byte mode, int id) {
        byte[] prefix = {mode, (byte) (id >> 16), (byte) (id >> 8), (byte) id};
        return ByteString.copyFrom(Memcomparable.encode(prefix));
    }
}
