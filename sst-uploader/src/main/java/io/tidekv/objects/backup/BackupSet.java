package io.tidekv.objects.backup;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.tidekv.objects.store.Checksums;
import io.tidekv.proto.region.ObjectRef;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * A backup as it lies in the store: lines of text; docs/formats/backup.md.
 *
 * @param createdMillis by the store's clock
 * @param ts the moment that it is of; 0: of none, as backups of format 1 are
 * @param branchId the cluster that reads what is held, as a branch; 0: it is a backup
 * @param regions in the order of their keys
 */
public record BackupSet(
        String name,
        long clusterId,
        long createdMillis,
        long ts,
        long branchId,
        List<Region> regions) {
    private static final String HEAD = "tidekv-backup 2";
    private static final String HEAD_WITHOUT_TS = "tidekv-backup 1";
    private static final String BRANCH = "branch ";
    private static final int LOGICAL_BITS = 18;

    public BackupSet {
        regions = List.copyOf(regions);
    }

    /**
     * One region.
     *
     * @param startHex first key in hexadecimal; {@code endHex} likewise, empty = no bound
     * @param appliedIndex entry of the region's log up to which the record goes
     * @param maxCommitTs highest commit timestamp in it, as far as the record knows
     * @param record null when the region had not been published yet
     */
    public record Region(
            long id,
            String startHex,
            String endHex,
            long appliedIndex,
            long maxCommitTs,
            long bytes,
            @Nullable ObjectRef record) {}

    /** Bytes of the table files that the regions name, shared ones counted for each. */
    public long bytes() {
        return regions.stream().mapToLong(Region::bytes).sum();
    }

    /** Of the regions that had been published. */
    public List<ObjectRef> records() {
        return regions.stream().map(Region::record).flatMap(Stream::ofNullable).toList();
    }

    /** Whether another cluster begins with what is held. */
    public boolean isBranch() {
        return branchId != 0;
    }

    /** The moment by PD's clock; 0: none. */
    public long atMillis() {
        return ts >>> LOGICAL_BITS;
    }

    byte[] encode() {
        StringBuilder text = new StringBuilder(ts == 0 ? HEAD_WITHOUT_TS : HEAD).append('\n');
        text.append("name ").append(name).append('\n');
        text.append("cluster ").append(Long.toUnsignedString(clusterId)).append('\n');
        text.append("created ").append(createdMillis).append('\n');
        if (ts != 0) {
            text.append("ts ").append(Long.toUnsignedString(ts)).append('\n');
        }
        if (branchId != 0) {
            text.append("branch ").append(Long.toUnsignedString(branchId)).append('\n');
        }
        for (Region region : regions) {
            text.append("region ").append(Long.toUnsignedString(region.id)).append(' ');
            text.append(orDash(region.startHex)).append(' ').append(orDash(region.endHex));
            text.append(' ').append(region.appliedIndex).append(' ').append(region.maxCommitTs);
            text.append(' ').append(region.bytes).append(' ').append(orDash(text(region.record)));
            text.append('\n');
        }
        int crc = Checksums.crc32c(text.toString().getBytes(UTF_8));
        text.append("end ").append(regions.size()).append(' ').append(Checksums.hex(crc));
        return text.append('\n').toString().getBytes(UTF_8);
    }

    /** Null when it is not whole. */
    static @Nullable BackupSet decode(byte[] bytes) {
        String[] lines = new String(bytes, UTF_8).split("\n", -1);
        boolean timed = lines[0].equals(HEAD);
        if (lines.length < 6 || (!timed && !lines[0].equals(HEAD_WITHOUT_TS))) {
            return null;
        }
        try {
            List<Region> regions = new ArrayList<>();
            boolean branch = timed && lines[5].startsWith(BRANCH);
            for (int i = branch ? 6 : timed ? 5 : 4; i < lines.length - 2; i++) {
                String[] at = lines[i].split(" ", -1);
                regions.add(
                        new Region(
                                Long.parseUnsignedLong(at[1]),
                                dash(at[2]),
                                dash(at[3]),
                                Long.parseLong(at[4]),
                                Long.parseLong(at[5]),
                                Long.parseLong(at[6]),
                                ref(dash(at[7]))));
            }
            BackupSet set =
                    new BackupSet(
                            lines[1].substring("name ".length()),
                            Long.parseUnsignedLong(lines[2].substring("cluster ".length())),
                            Long.parseLong(lines[3].substring("created ".length())),
                            timed ? Long.parseUnsignedLong(lines[4].substring("ts ".length())) : 0,
                            branch
                                    ? Long.parseUnsignedLong(lines[5].substring(BRANCH.length()))
                                    : 0,
                            regions);
            return Arrays.equals(set.encode(), bytes) ? set : null;
        } catch (IndexOutOfBoundsException | NumberFormatException e) {
            return null;
        }
    }

    /** Name, offset, length and checksum, separated by commas. */
    private static String text(@Nullable ObjectRef ref) {
        return ref == null
                ? ""
                : ref.getKey()
                        + ","
                        + ref.getOffset()
                        + ","
                        + ref.getLength()
                        + ","
                        + Checksums.hex(ref.getCrc32C());
    }

    private static @Nullable ObjectRef ref(String text) {
        if (text.isEmpty()) {
            return null;
        }
        String[] at = text.split(",", -1);
        return ObjectRef.newBuilder()
                .setKey(at[0])
                .setOffset(Long.parseLong(at[1]))
                .setLength(Long.parseLong(at[2]))
                .setCrc32C(Integer.parseUnsignedInt(at[3], 16))
                .build();
    }

    private static String orDash(String text) {
        return text.isEmpty() ? "-" : text;
    }

    private static String dash(String text) {
        return text.equals("-") ? "" : text;
    }
}
