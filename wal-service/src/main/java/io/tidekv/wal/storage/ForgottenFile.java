package io.tidekv.wal.storage;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.zip.CRC32C;

/**
 * The file {@code FORGOTTEN}: regions with ids below the number in it may have had a voter here of
 * which a repair found nothing. There is none as long as nothing was ever lost.
 */
final class ForgottenFile {
    static final String NAME = "FORGOTTEN";

    private static final String UNFINISHED = NAME + RepairFiles.SUFFIX;

    private ForgottenFile() {}

    /** The number; 0 without the file, the highest there is when the file cannot be read. */
    static long read(WalFiles files) throws IOException {
        if (!files.list().contains(NAME)) {
            return 0;
        }
        ByteBuffer bytes = ByteBuffer.allocate(256);
        try (WalFile file = files.open(NAME)) {
            file.read(0, bytes);
        }
        String text = StandardCharsets.UTF_8.decode(bytes.flip()).toString();
        int end = text.indexOf('\n') + 1;
        String line = text.substring(0, end);
        boolean whole =
                line.matches("below = [0-9]{1,19}\n") && text.substring(end).equals(crc(line));
        return whole ? Long.parseLong(line.substring(8, end - 1)) : Long.MAX_VALUE;
    }

    /** Raises the number; durable when this returns. */
    static void raise(WalFiles files, long below) throws IOException {
        if (below <= read(files)) {
            return;
        }
        List<String> names = files.list();
        if (names.contains(UNFINISHED)) {
            files.delete(UNFINISHED);
        }
        String line = "below = " + below + "\n";
        try (WalFile file = files.create(UNFINISHED)) {
            file.write(0, ByteBuffer.wrap((line + crc(line)).getBytes(StandardCharsets.UTF_8)));
            file.sync();
        }
        files.rename(UNFINISHED, NAME);
        files.syncFolder();
    }

    private static String crc(String line) {
        CRC32C crc = new CRC32C();
        crc.update(line.getBytes(StandardCharsets.UTF_8));
        return "crc = " + Long.toHexString(crc.getValue()) + "\n";
    }
}
