package io.tidekv.wal.storage;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.zip.CRC32C;

/**
 * Puts the segments of a repair into the place of those before them. The file {@code REPAIR}
 * decides: once it is there, whoever opens the folder finishes; before, new segments are void. What
 * is replaced is kept aside under other names, the damaged segments as well as the rest.
 */
final class RepairSwap {
    static final String NAME = "REPAIR";
    static final String DAMAGED = ".damaged";
    static final String ASIDE = ".aside";

    private static final String UNFINISHED = NAME + RepairFiles.SUFFIX;
    private static final int SIZE_MAX = 1 << 20;

    private final WalFiles files;

    RepairSwap(WalFiles files) {
        this.files = files;
    }

    /** Finishes a repair that was decided, and forgets one that was not. Repeatable. */
    void finish() throws IOException {
        List<String> names = files.list();
        if (names.contains(NAME)) {
            roll(read());
        } else if (names.stream().anyMatch(name -> name.endsWith(RepairFiles.SUFFIX))) {
            for (String name : names) {
                if (name.endsWith(RepairFiles.SUFFIX)) {
                    files.delete(name);
                }
            }
            files.syncFolder();
        }
    }

    /**
     * Decides. The segments from {@code first} on are durable under their names for a repair.
     *
     * @param damaged names of the files that hold damage, for people who look for it
     */
    void decide(long first, Collection<String> damaged) throws IOException {
        String text =
                String.format(Locale.ROOT, "first = %016x\n", first)
                        + "damaged = "
                        + String.join(" ", damaged)
                        + "\n";
        byte[] bytes = (text + "crc = " + crc(text) + "\n").getBytes(StandardCharsets.UTF_8);
        if (files.list().contains(UNFINISHED)) {
            files.delete(UNFINISHED);
        }
        try (WalFile file = files.create(UNFINISHED)) {
            file.write(0, ByteBuffer.wrap(bytes));
            file.sync();
        }
        files.syncFolder();
        files.rename(UNFINISHED, NAME);
        files.syncFolder();
    }

    private void roll(Decision decision) throws IOException {
        // New names first: a folder with an identity is never without segments.
        for (String name : files.list()) {
            if (name.endsWith(RepairFiles.SUFFIX)) {
                files.rename(name, name.substring(0, name.length() - RepairFiles.SUFFIX.length()));
            }
        }
        for (String name : files.list()) {
            long number = SegmentHeader.number(name);
            long index = SegmentIndex.number(name);
            if (number >= 0 && number < decision.first) {
                files.rename(name, name + (decision.damaged.contains(name) ? DAMAGED : ASIDE));
            } else if (index >= 0 && index < decision.first) {
                files.delete(name);
            }
        }
        files.syncFolder();
        files.delete(NAME);
        files.syncFolder();
    }

    private record Decision(long first, List<String> damaged) {}

    private Decision read() throws IOException {
        ByteBuffer bytes;
        try (WalFile file = files.open(NAME)) {
            bytes = ByteBuffer.allocate((int) Math.min(file.size(), SIZE_MAX));
            file.read(0, bytes);
        }
        String text = StandardCharsets.UTF_8.decode(bytes.flip()).toString();
        String[] lines = text.split("\n", -1);
        boolean whole =
                lines.length == 4
                        && lines[0].matches("first = [0-9a-f]{16}")
                        && lines[1].startsWith("damaged = ")
                        && lines[2].equals("crc = " + crc(lines[0] + "\n" + lines[1] + "\n"));
        if (!whole) {
            throw new StorageDamageException(NAME, 0, "its checksum is wrong");
        }
        return new Decision(
                Long.parseUnsignedLong(lines[0].substring(8), 16),
                List.of(lines[1].substring(10).split(" ")));
    }

    private static String crc(String text) {
        CRC32C crc = new CRC32C();
        crc.update(text.getBytes(StandardCharsets.UTF_8));
        return Long.toHexString(crc.getValue());
    }
}
