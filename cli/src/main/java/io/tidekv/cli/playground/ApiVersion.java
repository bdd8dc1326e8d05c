package io.tidekv.cli.playground;

import io.tidekv.cli.CliException;

/** How keys and values are framed; fixed for the life of a cluster. */
enum ApiVersion {
    V1("1", 1, false),
    V1TTL("1ttl", 1, true),
    V2("2", 2, true);

    private final String text;
    private final int number;
    private final boolean ttl;

    ApiVersion(String text, int number, boolean ttl) {
        this.text = text;
        this.number = number;
        this.ttl = ttl;
    }

    static ApiVersion parse(String text) {
        for (ApiVersion version : values()) {
            if (version.text.equalsIgnoreCase(text)) {
                return version;
            }
        }
        throw new CliException("--api-version " + text + " is unknown: use 1, 1ttl or 2");
    }

    /** As on the command line. */
    String text() {
        return text;
    }

    /** TiKV's {@code storage.api-version}. */
    int number() {
        return number;
    }

    /** TiKV's {@code storage.enable-ttl}. */
    boolean ttl() {
        return ttl;
    }
}
