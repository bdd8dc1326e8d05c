package io.tidekv.objects.store;

import io.tidekv.objects.store.ObjectStoreException.Kind;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The names that objects may have: parts of letters, digits and {@code . _ = -}, none of them empty
 * or starting with a dot, joined by {@code /}. So a name is the same in a bucket and in a folder,
 * cannot climb out of either, and is never mistaken for a temporary file.
 */
public final class ObjectNames {
    /** Begins the names of other clusters' objects in a cluster's view: {@code of/<cluster>/…}. */
    public static final String FOREIGN = "of/";

    private static final Pattern OF_ANOTHER = Pattern.compile("of/([1-9][0-9]{0,19})/(.+)");

    /** Longest name; S3 allows 1024 with the prefix. */
    static final int NAME_MAX = 900;

    /** Longest part; file systems allow 255. */
    static final int PART_MAX = 200;

    private ObjectNames() {}

    /** Whether an object may have this name. */
    public static boolean isValid(String name) {
        if (name.isEmpty() || name.length() > NAME_MAX) {
            return false;
        }
        int partStart = 0;
        for (int i = 0; i <= name.length(); i++) {
            if (i == name.length() || name.charAt(i) == '/') {
                int length = i - partStart;
                if (length == 0 || length > PART_MAX || name.charAt(partStart) == '.') {
                    return false;
                }
                partStart = i + 1;
            } else if (!isPlain(name.charAt(i))) {
                return false;
            }
        }
        return true;
    }

    /** The name without what says that it is another cluster's. */
    public static String withoutCluster(String name) {
        Matcher foreign = name.startsWith(FOREIGN) ? OF_ANOTHER.matcher(name) : null;
        return foreign != null && foreign.matches() ? foreign.group(2) : name;
    }

    /** Where the object lies in the view of all clusters, if it is another's; else null. */
    static @Nullable String inAllClusters(String name) {
        Matcher foreign = name.startsWith(FOREIGN) ? OF_ANOTHER.matcher(check(name)) : null;
        return foreign != null && foreign.matches()
                ? foreign.group(1) + "/" + foreign.group(2)
                : null;
    }

    /** Returns {@code name}, or throws INVALID. */
    static String check(String name) {
        if (!isValid(name)) {
            throw new ObjectStoreException(
                    Kind.INVALID,
                    printable(name),
                    "not an object name: "
                            + printable(name)
                            + " (parts of letters, digits and . _ = -, not starting with a dot,"
                            + " joined by /)",
                    null);
        }
        return name;
    }

    /** A prefix is the beginning of a name. */
    static String checkPrefix(String prefix) {
        String completed = prefix.isEmpty() || prefix.endsWith("/") ? prefix + "x" : prefix;
        check(completed);
        return prefix;
    }

    private static boolean isPlain(char c) {
        return (c >= 'a' && c <= 'z')
                || (c >= 'A' && c <= 'Z')
                || (c >= '0' && c <= '9')
                || c == '.'
                || c == '_'
                || c == '='
                || c == '-';
    }

    private static String printable(String name) {
        String cut = name.length() > 100 ? name.substring(0, 100) + "…" : name;
        return cut.replaceAll("[^ -~…]", "?");
    }
}
