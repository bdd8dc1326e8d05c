package io.tidekv.objects.archive;

import io.tidekv.objects.manifest.ObjectKeys;
import io.tidekv.objects.store.ObjectStore;
import java.util.Locale;
import java.util.UUID;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Names of parts below the cluster's prefix: {@code wal/<node>/<segment>-<from>-<to>}, in the order
 * of the node's log. The same bytes of the same segment have the same name in each attempt.
 */
public final class ArchiveNames {
    /** Of everything in the archive. */
    public static final String PREFIX = "wal/";

    private static final Pattern NAME =
            Pattern.compile(
                    "wal/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})"
                            + "/([0-9a-f]{16})-([0-9a-f]{8})-([0-9a-f]{8})");

    private ArchiveNames() {}

    /**
     * What a name says.
     *
     * @param from first byte of the segment that the part stands for
     * @param to end of what it stands for, exclusive
     */
    public record Place(UUID node, long segment, long from, long to) {
        /** The part's name. */
        public String name() {
            return String.format(
                    Locale.ROOT, "%s%s/%016x-%08x-%08x", PREFIX, node, segment, from, to);
        }
    }

    /** The part of a store that is a cluster's. */
    public static ObjectStore ofCluster(ObjectStore store, long clusterId) {
        return store.under(ObjectKeys.cluster(clusterId));
    }

    /** Of everything that a node has shipped. */
    public static String node(UUID node) {
        return PREFIX + node + "/";
    }

    /** Sorts behind all names of segments below {@code segment} of a node, and before others. */
    public static String before(UUID node, long segment) {
        return node(node) + String.format(Locale.ROOT, "%016x", segment);
    }

    /** Null for a name that is no part's. */
    public static @Nullable Place parse(String name) {
        Matcher matcher = NAME.matcher(name);
        return matcher.matches()
                ? new Place(
                        UUID.fromString(matcher.group(1)),
                        Long.parseUnsignedLong(matcher.group(2), 16),
                        Long.parseLong(matcher.group(3), 16),
                        Long.parseLong(matcher.group(4), 16))
                : null;
    }
}
