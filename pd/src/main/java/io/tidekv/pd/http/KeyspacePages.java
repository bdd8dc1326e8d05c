package io.tidekv.pd.http;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.tidekv.common.http.HttpAnswer;
import io.tidekv.common.http.HttpAsk;
import io.tidekv.pd.core.PdState;
import io.tidekv.pd.keyspace.KeyspaceException;
import io.tidekv.pd.keyspace.Keyspaces;
import io.tidekv.pd.log.NotLeaderException;
import io.tidekv.pd.log.StateLog;
import io.tidekv.proto.keyspacepb.KeyspaceMeta;
import io.tidekv.proto.keyspacepb.KeyspaceState;
import java.io.IOException;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.jspecify.annotations.Nullable;

/** PD's pages of keyspaces, {@code /pd/api/v2/keyspaces}, as pd-ctl and client-go ask for them. */
final class KeyspacePages {
    private static final String ROOT = "/pd/api/v2/keyspaces";
    private static final int PAGE = 100;

    private final ObjectMapper mapper = new ObjectMapper();
    private final StateLog log;
    private final Keyspaces keyspaces;

    KeyspacePages(StateLog log, Keyspaces keyspaces) {
        this.log = log;
        this.keyspaces = keyspaces;
    }

    void addTo(Router router) {
        router.get(ROOT, this::all)
                .get(ROOT + "/id/{id}", ask -> one(() -> keyspaces.byId(id(ask))))
                .get(ROOT + "/{name}", ask -> one(() -> keyspaces.byName(variable(ask, "name"))))
                .change("POST", ROOT, this::create)
                .change("PATCH", ROOT + "/{name}/config", this::configure)
                .change("PUT", ROOT + "/{name}/state", this::changeState);
    }

    private HttpAnswer all(HttpAsk ask) {
        requireLeader();
        int limit = number(ask.query().getOrDefault("limit", Integer.toString(PAGE)));
        int from = number(ask.query().getOrDefault("page_token", "0"));
        List<KeyspaceMeta> found = keyspaces.from(from, limit + 1);
        boolean more = found.size() > limit;
        List<KeyspaceMeta> shown = more ? found.subList(0, limit) : found;
        return HttpAnswer.json(
                Json.object(
                        "keyspaces",
                        shown.stream().map(KeyspacePages::view).toList(),
                        "next_page_token",
                        more ? Integer.toString(found.get(limit).getId()) : ""));
    }

    private interface Look {
        KeyspaceMeta up();
    }

    private HttpAnswer one(Look look) {
        requireLeader();
        try {
            return HttpAnswer.json(view(look.up()));
        } catch (KeyspaceException e) {
            return refusal(e);
        }
    }

    private CompletableFuture<HttpAnswer> create(HttpAsk ask) {
        JsonNode body = body(ask);
        Map<String, String> config = new TreeMap<>();
        body.path("config").properties().forEach(e -> config.put(e.getKey(), text(e)));
        return answer(keyspaces.create(body.path("name").asText(), config));
    }

    private CompletableFuture<HttpAnswer> configure(HttpAsk ask) {
        Map<String, @Nullable String> changes = new TreeMap<>();
        body(ask)
                .path("config")
                .properties()
                .forEach(e -> changes.put(e.getKey(), e.getValue().isNull() ? null : text(e)));
        return answer(keyspaces.configure(variable(ask, "name"), changes));
    }

    private CompletableFuture<HttpAnswer> changeState(HttpAsk ask) {
        String wanted = body(ask).path("state").asText().toUpperCase(Locale.ROOT);
        for (KeyspaceState state : KeyspaceState.values()) {
            if (state.name().equals(wanted)) {
                KeyspaceMeta meta;
                try {
                    meta = keyspaces.byName(variable(ask, "name"));
                } catch (KeyspaceException e) {
                    return CompletableFuture.completedFuture(refusal(e));
                }
                return answer(keyspaces.changeState(meta.getId(), state));
            }
        }
        throw new IllegalArgumentException(
                "unknown target state: use ENABLED, DISABLED, ARCHIVED or TOMBSTONE");
    }

    private static CompletableFuture<HttpAnswer> answer(CompletableFuture<KeyspaceMeta> change) {
        return change.handle(
                (meta, error) -> {
                    if (error == null) {
                        return HttpAnswer.json(view(meta));
                    }
                    Throwable cause = error.getCause() == null ? error : error.getCause();
                    if (cause instanceof KeyspaceException refused) {
                        return refusal(refused);
                    }
                    throw cause instanceof RuntimeException known
                            ? known
                            : new CompletionException(cause);
                });
    }

    private static HttpAnswer refusal(KeyspaceException e) {
        return HttpAnswer.json(500, String.valueOf(e.getMessage()));
    }

    private JsonNode body(HttpAsk ask) {
        requireLeader();
        try {
            JsonNode body = mapper.readTree(ask.body());
            if (body == null || !body.isObject()) {
                throw new IllegalArgumentException("the body must be a JSON object");
            }
            return body;
        } catch (IOException e) {
            throw new IllegalArgumentException("the body must be a JSON object", e);
        }
    }

    private static String text(Map.Entry<String, JsonNode> entry) {
        return entry.getValue().asText();
    }

    private static String variable(HttpAsk ask, String name) {
        return ask.variables().getOrDefault(name, "");
    }

    private static int id(HttpAsk ask) {
        return number(variable(ask, "id"));
    }

    private static int number(String text) {
        try {
            return Integer.parseUnsignedInt(text);
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException("not a number: " + text, e);
        }
    }

    private void requireLeader() {
        if (!log.leadership().leading() || log.read(PdState::clusterId) == 0) {
            throw new NotLeaderException(log.leadership().leader());
        }
    }

    private static Map<String, Object> view(KeyspaceMeta meta) {
        return Json.object(
                "id",
                meta.getId(),
                "name",
                meta.getName(),
                "state",
                meta.getState().name(),
                "created_at",
                meta.getCreatedAt(),
                "state_changed_at",
                meta.getStateChangedAt(),
                "config",
                new TreeMap<>(meta.getConfigMap()));
    }
}
