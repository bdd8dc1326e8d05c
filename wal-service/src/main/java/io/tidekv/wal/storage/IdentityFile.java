package io.tidekv.wal.storage;

import io.tidekv.common.Randomness;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.zip.CRC32C;

/**
 * The file {@code IDENTITY}, which makes a folder a WAL node's. Replaced in one step. A folder that
 * has other files but no identity is somebody else's and left alone.
 */
public final class IdentityFile {
    private static final String NAME = "IDENTITY";
    private static final String UNFINISHED = "IDENTITY.new";
    private static final int FORMAT = 1;
    private static final int SIZE_MAX = 4096;

    /** What an empty folder may hold. */
    private static final Set<String> HARMLESS = Set.of("LOCK", UNFINISHED, "lost+found");

    private final WalFiles files;

    public IdentityFile(WalFiles files) {
        this.files = files;
    }

    /** Reads the identity, or makes one when the folder is empty. */
    public NodeIdentity open(Randomness randomness) throws IOException {
        List<String> names = files.list();
        if (names.contains(NAME)) {
            NodeIdentity identity = read();
            boolean hasSegments = names.stream().anyMatch(name -> SegmentHeader.number(name) > 0);
            if (identity.registered() && !hasSegments) {
                throw new StorageDamageException(NAME, 0, "the node's segments are missing");
            }
            return identity;
        }
        for (String name : names) {
            if (!HARMLESS.contains(name)) {
                throw new IOException(
                        files.location()
                                + " holds \""
                                + name
                                + "\" but no identity of a WAL node: name an empty folder");
            }
        }
        NodeIdentity identity = new NodeIdentity(randomness.nextUuid(), 0, 0);
        write(identity);
        return identity;
    }

    /**
     * Reads the identity and changes nothing.
     *
     * @throws IOException when the folder has none
     */
    public NodeIdentity existing() throws IOException {
        if (!files.list().contains(NAME)) {
            throw new IOException(
                    files.location() + " holds no identity of a WAL node: name its data-dir");
        }
        return read();
    }

    /** Replaces the identity; durable when this returns. */
    public void write(NodeIdentity identity) throws IOException {
        String text =
                "format = "
                        + FORMAT
                        + "\nuuid = "
                        + identity.uuid()
                        + "\ncluster-id = "
                        + Long.toUnsignedString(identity.clusterId())
                        + "\nwal-id = "
                        + Long.toUnsignedString(identity.walId())
                        + "\n";
        byte[] bytes = (text + "crc = " + crc(text) + "\n").getBytes(StandardCharsets.UTF_8);
        if (files.list().contains(UNFINISHED)) {
            files.delete(UNFINISHED);
        }
        try (WalFile file = files.create(UNFINISHED)) {
            file.write(0, ByteBuffer.wrap(bytes));
            file.sync();
        }
        files.rename(UNFINISHED, NAME);
        files.syncFolder();
    }

    private NodeIdentity read() throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate(SIZE_MAX);
        try (WalFile file = files.open(NAME)) {
            file.read(0, bytes);
        }
        String text = StandardCharsets.UTF_8.decode(bytes.flip()).toString();
        Map<String, String> values = new HashMap<>();
        for (String line : text.split("\n", -1)) {
            int equals = line.indexOf(" = ");
            if (equals > 0) {
                values.put(line.substring(0, equals), line.substring(equals + 3));
            }
        }
        int end = text.lastIndexOf("crc = ");
        if (end < 0 || !crc(text.substring(0, end)).equals(values.get("crc"))) {
            throw new StorageDamageException(NAME, 0, "its checksum is wrong");
        }
        String format = values.getOrDefault("format", "");
        if (!format.equals(Integer.toString(FORMAT))) {
            throw new IOException(
                    files.location() + " has format " + format + ": use a newer version of TideKV");
        }
        return new NodeIdentity(
                UUID.fromString(values.getOrDefault("uuid", "")),
                Long.parseUnsignedLong(values.getOrDefault("cluster-id", "")),
                Long.parseUnsignedLong(values.getOrDefault("wal-id", "")));
    }

    private static String crc(String text) {
        CRC32C crc = new CRC32C();
        crc.update(text.getBytes(StandardCharsets.UTF_8));
        return Long.toHexString(crc.getValue());
    }
}
