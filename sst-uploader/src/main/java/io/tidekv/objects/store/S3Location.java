package io.tidekv.objects.store;

import java.net.URI;
import java.net.URISyntaxException;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Where a bucket is and how to get in: the parts of {@code s3://bucket/prefix?…}.
 *
 * @param prefix without slashes at its ends; empty for none
 * @param endpoint null for the region's own at AWS
 * @param region null to take it from the environment, the profile or the machine
 * @param pathStyle the bucket stands in the path, not in the host name
 * @param checksums whether to send checksum headers, which some old stores refuse
 * @param keys null to take credentials from {@code profile} or from the default chain
 */
record S3Location(
        String bucket,
        String prefix,
        @Nullable URI endpoint,
        @Nullable String region,
        boolean pathStyle,
        boolean checksums,
        @Nullable Keys keys,
        @Nullable String profile) {
    private static final Set<String> KNOWN =
            new LinkedHashSet<>(
                    List.of(
                            "endpoint",
                            "region",
                            "path-style",
                            "checksums",
                            "access-key",
                            "secret-key",
                            "session-token",
                            "profile"));

    /** Static credentials. Never printed. */
    record Keys(String access, String secret, @Nullable String session) {
        @Override
        public String toString() {
            return "Keys[hidden]";
        }
    }

    static S3Location parse(String uri) {
        UriParameters parameters = UriParameters.parse(uri, KNOWN);
        int query = uri.indexOf('?');
        String place = uri.substring("s3://".length(), query < 0 ? uri.length() : query);
        int slash = place.indexOf('/');
        String bucket = slash < 0 ? place : place.substring(0, slash);
        String prefix = slash < 0 ? "" : place.substring(slash + 1);
        if (prefix.endsWith("/")) {
            prefix = prefix.substring(0, prefix.length() - 1);
        }
        if (!bucket.matches("[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")) {
            throw ObjectStores.bad(uri, "name a bucket: s3://bucket/prefix");
        }
        if (!prefix.isEmpty() && !ObjectNames.isValid(prefix)) {
            throw ObjectStores.bad(
                    uri, "the prefix may have letters, digits and . _ = - between slashes");
        }
        URI endpoint = endpoint(uri, parameters.get("endpoint"));
        return new S3Location(
                bucket,
                prefix,
                endpoint,
                parameters.get("region"),
                parameters.flag(uri, "path-style", endpoint != null),
                parameters.flag(uri, "checksums", true),
                keys(uri, parameters),
                parameters.get("profile"));
    }

    private static @Nullable URI endpoint(String uri, @Nullable String value) {
        if (value == null) {
            return null;
        }
        try {
            URI endpoint = new URI(value);
            boolean http = "http".equals(endpoint.getScheme());
            if ((http || "https".equals(endpoint.getScheme())) && endpoint.getHost() != null) {
                return endpoint;
            }
        } catch (URISyntaxException e) {
            // Said below.
        }
        throw ObjectStores.bad(uri, "write the endpoint as endpoint=http://127.0.0.1:9000");
    }

    private static @Nullable Keys keys(String uri, UriParameters parameters) {
        String access = parameters.get("access-key");
        String secret = parameters.get("secret-key");
        String session = parameters.get("session-token");
        if (access == null && secret == null && session == null) {
            return null;
        }
        if (access == null || secret == null) {
            throw ObjectStores.bad(uri, "access-key and secret-key go together");
        }
        if (parameters.get("profile") != null) {
            throw ObjectStores.bad(uri, "give either keys or a profile");
        }
        return new Keys(access, secret, session);
    }

    /** Without secrets. */
    String describe() {
        return "s3://" + bucket + (endpoint == null ? "" : " at " + endpoint);
    }
}
