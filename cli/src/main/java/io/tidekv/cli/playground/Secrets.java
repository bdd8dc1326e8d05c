package io.tidekv.cli.playground;

import java.util.regex.Pattern;

/** Keeps credentials out of files and terminals. */
final class Secrets {
    private static final Pattern VALUE =
            Pattern.compile("(?i)([?&](?:access-key|secret-key|session-token)=)[^&]*");
    private static final Pattern USER = Pattern.compile("://[^/@?]*@");

    private Secrets() {}

    /** An object store's URI with the credentials left out. */
    static String hide(String uri) {
        String shown = VALUE.matcher(uri).replaceAll("$1***");
        return USER.matcher(shown).replaceAll("://***@");
    }
}
