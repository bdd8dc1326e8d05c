package io.tidekv.pd.http;

import io.tidekv.common.http.HttpAnswer;
import io.tidekv.common.http.HttpAsk;
import io.tidekv.common.http.HttpPage;
import io.tidekv.pd.log.NotLeaderException;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Finds the page of a path. Most pages are for GET only: another method, HEAD too, answers 405
 * without a body, and an unknown path 404, as PD does.
 */
public final class Router {
    private static final Logger log = LoggerFactory.getLogger(Router.class);

    /** A page that changes something, and answers when that is done. */
    interface ChangePage {
        CompletableFuture<HttpAnswer> answer(HttpAsk ask) throws Exception;
    }

    private record Route(String method, List<String> parts, ChangePage page) {}

    private final List<Route> routes = new ArrayList<>();

    /** Adds a page; {@code path} may hold {@code {name}} parts, earlier routes win. */
    public Router get(String path, HttpPage page) {
        return change("GET", path, ask -> CompletableFuture.completedFuture(page.answer(ask)));
    }

    /** Adds a page for another method. */
    Router change(String method, String path, ChangePage page) {
        routes.add(new Route(method, List.of(path.split("/", -1)), page));
        return this;
    }

    CompletableFuture<HttpAnswer> answer(String method, String uri, byte[] body) {
        int mark = uri.indexOf('?');
        String path = mark < 0 ? uri : uri.substring(0, mark);
        List<String> parts = List.of(path.split("/", -1));
        boolean found = false;
        try {
            for (Route route : routes) {
                Map<String, String> variables = match(route.parts, parts);
                found |= variables != null;
                if (variables != null && method.equals(route.method)) {
                    String query = mark < 0 ? "" : uri.substring(mark + 1);
                    HttpAsk ask = new HttpAsk(method, path, variables, query(query), body);
                    return route.page.answer(ask).exceptionally(e -> failed(path, e));
                }
            }
        } catch (Exception e) {
            return CompletableFuture.completedFuture(failed(path, e));
        }
        return CompletableFuture.completedFuture(
                found ? HttpAnswer.text(405, "") : HttpAnswer.text(404, "404 page not found\n"));
    }

    private static HttpAnswer failed(String path, Throwable error) {
        Throwable cause =
                error instanceof CompletionException && error.getCause() != null
                        ? error.getCause()
                        : error;
        if (cause instanceof NotLeaderException) {
            return HttpAnswer.text(503, String.valueOf(cause.getMessage()) + "\n");
        } else if (cause instanceof IllegalArgumentException) {
            return HttpAnswer.json(400, String.valueOf(cause.getMessage()));
        }
        log.error("the page {} failed", path, cause);
        return HttpAnswer.json(500, "this page failed; see the log of PD");
    }

    private static @Nullable Map<String, String> match(List<String> route, List<String> parts) {
        if (route.size() != parts.size()) {
            return null;
        }
        Map<String, String> variables = new LinkedHashMap<>();
        for (int i = 0; i < parts.size(); i++) {
            String name = route.get(i);
            if (name.startsWith("{") && !parts.get(i).isEmpty()) {
                variables.put(name.substring(1, name.length() - 1), decode(parts.get(i)));
            } else if (!name.equals(parts.get(i))) {
                return null;
            }
        }
        return variables;
    }

    private static Map<String, String> query(String raw) {
        Map<String, String> query = new LinkedHashMap<>();
        for (String pair : raw.isEmpty() ? List.<String>of() : List.of(raw.split("&", -1))) {
            int equals = pair.indexOf('=');
            String name = equals < 0 ? pair : pair.substring(0, equals);
            query.put(decode(name), equals < 0 ? "" : decode(pair.substring(equals + 1)));
        }
        return query;
    }

    /** Bytes stand for themselves: keys are no text. */
    private static String decode(String text) {
        return URLDecoder.decode(text, StandardCharsets.ISO_8859_1);
    }
}
