package io.tidekv.objects.manifest;

import io.tidekv.objects.store.ObjectNames;
import java.util.UUID;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Names of objects below the cluster's prefix. A name carries the region and term that made the
 * object and a UUID, so that no two uploads ever meet.
 */
public final class ObjectKeys {
    public static final String SST_PREFIX = "sst/";
    public static final String RECORD_PREFIX = "record/";

    /** Objects with members of many regions; {@link PackCodec}. */
    public static final String PACK_PREFIX = "pack/";

    private static final Pattern NAME =
            Pattern.compile("(sst|record)/([0-9]+)/([0-9]+)-([0-9]+)-[^/]+");

    private ObjectKeys() {}

    /** {@code sst/<region>/<term>-<file>-<uuid>.sst}. */
    public static String sst(long regionId, long term, long fileNumber, UUID uuid) {
        return SST_PREFIX
                + unsigned(regionId)
                + "/"
                + unsigned(term)
                + "-"
                + unsigned(fileNumber)
                + "-"
                + uuid
                + ".sst";
    }

    /** {@code record/<region>/<term>-<seq>-<uuid>}. */
    public static String record(long regionId, long term, long sequence, UUID uuid) {
        return RECORD_PREFIX
                + unsigned(regionId)
                + "/"
                + unsigned(term)
                + "-"
                + unsigned(sequence)
                + "-"
                + uuid;
    }

    /** {@code pack/<store>-<incarnation>/<uuid>}. */
    public static String pack(long storeId, long incarnation, UUID uuid) {
        return PACK_PREFIX + unsigned(storeId) + "-" + unsigned(incarnation) + "/" + uuid;
    }

    /** Whether an object holds members that are read by offset and length. */
    public static boolean isPack(String key) {
        return ObjectNames.withoutCluster(key).startsWith(PACK_PREFIX);
    }

    /** Whether it is an object of another cluster, which this one only reads. */
    public static boolean isForeign(String key) {
        return key.startsWith(ObjectNames.FOREIGN);
    }

    /**
     * What another cluster calls an object of {@code clusterId}. One that is not its own keeps the
     * name that it has there.
     */
    public static String foreign(long clusterId, String key) {
        return isForeign(key) ? key : ObjectNames.FOREIGN + unsigned(clusterId) + "/" + key;
    }

    /** Prefix of the cluster's objects in the store. */
    public static String cluster(long clusterId) {
        return unsigned(clusterId);
    }

    /** Region in the name of an SST or record; 0 when the name is neither. */
    public static long regionOf(String key) {
        String[] parts = key.split("/", -1);
        boolean known =
                parts.length == 3 && (key.startsWith(SST_PREFIX) || key.startsWith(RECORD_PREFIX));
        if (!known) {
            return 0;
        }
        try {
            return Long.parseUnsignedLong(parts[1]);
        } catch (NumberFormatException e) {
            return 0;
        }
    }

    /**
     * What a name says.
     *
     * @param record whether it is a record; else a table file
     * @param number the record's sequence in its term, or the file's local number
     */
    public record Parts(boolean record, long regionId, long term, long number) {}

    /** The parts of the name of a table file or record; null when it is neither. */
    public static @Nullable Parts parse(String key) {
        Matcher matcher = NAME.matcher(key);
        if (!matcher.matches()) {
            return null;
        }
        boolean record = matcher.group(1).equals("record");
        if (record == key.endsWith(".sst")) {
            return null;
        }
        try {
            return new Parts(
                    record,
                    Long.parseUnsignedLong(matcher.group(2)),
                    Long.parseUnsignedLong(matcher.group(3)),
                    Long.parseUnsignedLong(matcher.group(4)));
        } catch (NumberFormatException e) {
            return null;
        }
    }

    private static String unsigned(long value) {
        return Long.toUnsignedString(value);
    }
}
