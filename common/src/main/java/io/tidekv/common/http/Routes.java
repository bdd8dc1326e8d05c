package io.tidekv.common.http;

import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/** Finds the page of a method and a path. Not changed once the server runs. */
final class Routes {
    private record Route(String method, List<String> parts, HttpPage page) {}

    /** A page and the variables of its route; or no page and the methods that the path has. */
    record Found(@Nullable HttpPage page, Map<String, String> variables, String allowed) {}

    private final List<Route> routes = new ArrayList<>();

    /** {@code path} may hold {@code {name}} parts; earlier routes win. */
    void add(String method, String path, HttpPage page) {
        routes.add(new Route(method, List.of(path.split("/", -1)), page));
    }

    Found find(String method, String rawPath) {
        List<String> parts = List.of(rawPath.split("/", -1));
        String wanted = method.equals("HEAD") ? "GET" : method;
        TreeSet<String> allowed = new TreeSet<>();
        for (Route route : routes) {
            Map<String, String> variables = match(route.parts, parts);
            if (variables != null && route.method.equals(wanted)) {
                return new Found(route.page, variables, "");
            } else if (variables != null) {
                allowed.add(route.method);
                if (route.method.equals("GET")) {
                    allowed.add("HEAD");
                }
            }
        }
        return new Found(null, Map.of(), String.join(", ", allowed));
    }

    private static @Nullable Map<String, String> match(List<String> route, List<String> parts) {
        if (route.size() != parts.size()) {
            return null;
        }
        Map<String, String> variables = new LinkedHashMap<>();
        for (int i = 0; i < parts.size(); i++) {
            String name = route.get(i);
            if (name.startsWith("{") && !parts.get(i).isEmpty()) {
                // A path keeps its plus signs, unlike a query.
                String value = decode(parts.get(i).replace("+", "%2B"));
                variables.put(name.substring(1, name.length() - 1), value);
            } else if (!name.equals(parts.get(i))) {
                return null;
            }
        }
        return variables;
    }

    static Map<String, String> query(@Nullable String rawQuery) {
        Map<String, String> query = new LinkedHashMap<>();
        if (rawQuery != null) {
            for (String pair : rawQuery.split("&", -1)) {
                int equals = pair.indexOf('=');
                String name = equals < 0 ? pair : pair.substring(0, equals);
                query.put(decode(name), equals < 0 ? "" : decode(pair.substring(equals + 1)));
            }
        }
        return query;
    }

    private static String decode(String text) {
        return URLDecoder.decode(text, StandardCharsets.UTF_8);
    }
}
