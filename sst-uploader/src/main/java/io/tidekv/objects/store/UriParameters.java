package io.tidekv.objects.store;

import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What stands after the question mark of a URI: {@code name=value&…}. Values may be
 * percent-encoded; a plus sign is itself, as in secret keys.
 */
record UriParameters(Map<String, String> values) {
    /** Throws INVALID for a name that is not among {@code known}. */
    static UriParameters parse(String uri, Set<String> known) {
        Map<String, String> values = new LinkedHashMap<>();
        int query = uri.indexOf('?');
        String rest = query < 0 ? "" : uri.substring(query + 1);
        for (String parameter : rest.split("&")) {
            if (parameter.isEmpty()) {
                continue;
            }
            int equals = parameter.indexOf('=');
            String name = equals < 0 ? parameter : parameter.substring(0, equals);
            if (equals < 0 || !known.contains(name)) {
                String shown = name.replaceAll("[^a-z0-9-]", "?");
                throw ObjectStores.bad(
                        uri,
                        equals < 0
                                ? "give parameter " + shown + " a value"
                                : "unknown parameter " + shown + ", known are " + known);
            }
            if (values.put(name, decode(uri, name, parameter.substring(equals + 1))) != null) {
                throw ObjectStores.bad(uri, "parameter " + name + " is given twice");
            }
        }
        return new UriParameters(values);
    }

    private static String decode(String uri, String name, String value) {
        try {
            return URLDecoder.decode(value.replace("+", "%2B"), StandardCharsets.UTF_8);
        } catch (IllegalArgumentException e) {
            throw ObjectStores.bad(uri, "parameter " + name + " is wrongly percent-encoded");
        }
    }

    @Nullable String get(String name) {
        return values.get(name);
    }

    boolean flag(String uri, String name, boolean otherwise) {
        String value = values.get(name);
        if (value == null) {
            return otherwise;
        }
        if (!value.equals("true") && !value.equals("false")) {
            throw ObjectStores.bad(uri, "parameter " + name + " is true or false");
        }
        return value.equals("true");
    }
}
