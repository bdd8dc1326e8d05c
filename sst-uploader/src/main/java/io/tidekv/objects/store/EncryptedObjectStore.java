package io.tidekv.objects.store;

import io.tidekv.common.Randomness;
import io.tidekv.objects.crypto.Envelope;
import io.tidekv.objects.crypto.MasterKey;
import io.tidekv.objects.crypto.SealBroken;
import io.tidekv.objects.store.ObjectStoreException.Kind;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/**
 * Another store with contents encrypted; names, lengths and times are not secret. Lengths and
 * checksums that users see are those of the content. A range costs a read of the header the first
 * time, and is itself checked: CORRUPT when it is not what was stored. Closing it closes the other
 * store.
 */
public final class EncryptedObjectStore implements ObjectStore {
    private static final int HEADERS_MAX = 20_000;

    private final ObjectStore base;
    private final DataKeys keys;
    private final Map<String, Envelope> envelopes =
            new LinkedHashMap<>(16, 0.75f, true) {
                private static final long serialVersionUID = 1L;

                @Override
                protected boolean removeEldestEntry(Map.Entry<String, Envelope> eldest) {
                    return size() > HEADERS_MAX;
                }
            };

    /** A store whose data keys lie in {@code base} and are wrapped by {@code master}. */
    public EncryptedObjectStore(ObjectStore base, MasterKey master, Randomness randomness) {
        this.base = base;
        this.keys = new DataKeys(base, master, randomness);
    }

    /** Encrypts with a new data key from now on; what is there stays readable. */
    public long rotate() {
        return keys.rotate().id();
    }

    @Override
    public void putIfAbsent(String name, byte[] bytes) {
        ByteArrayOutputStream sealed = new ByteArrayOutputStream();
        try {
            seal(name, new ByteArrayInputStream(bytes), bytes.length, sealed);
        } catch (IOException e) {
            throw StoreErrors.failed(name, "encrypt", e);
        }
        try {
            base.putIfAbsent(name, sealed.toByteArray());
        } catch (ObjectStoreException e) {
            settle(name, bytes.length, Checksums.crc32c(bytes), e);
        }
    }

    @Override
    public void putFileIfAbsent(String name, Path file, int crc32c) {
        ObjectNames.check(name);
        Path sealed = null;
        try {
            sealed = Files.createTempFile("tidekv-", ".enc");
            long length = Files.size(file);
            try (InputStream in = Files.newInputStream(file);
                    OutputStream out = Files.newOutputStream(sealed)) {
                if (seal(name, in, length, out) != crc32c) {
                    throw StoreErrors.changed(name, file);
                }
            }
            put(name, sealed, length, crc32c);
        } catch (IOException e) {
            throw StoreErrors.failed(name, "encrypt " + file, e);
        } finally {
            if (sealed != null) {
                Folders.deleteQuietly(sealed);
            }
        }
    }

    private void put(String name, Path sealed, long length, int crc32c) throws IOException {
        try {
            base.putFileIfAbsent(name, sealed, Checksums.crc32c(sealed));
        } catch (ObjectStoreException e) {
            settle(name, length, crc32c, e);
        }
    }

    /** The same content is never encrypted to the same bytes: it is compared here. */
    private void settle(String name, long length, int crc32c, ObjectStoreException e) {
        if (e.kind() != Kind.ALREADY_EXISTS) {
            throw e;
        }
        ObjectInfo there = base.head(name);
        if (there == null || Envelope.plainLength(there.length()) != length) {
            throw e;
        }
        CRC32C crc = new CRC32C();
        long at = 0;
        while (at < length) {
            int step = (int) Math.min(4 << 20, length - at);
            crc.update(getRange(name, at, step));
            at += step;
        }
        if ((int) crc.getValue() != crc32c) {
            throw e;
        }
    }

    /** Returns the CRC32C of the content. */
    private int seal(String name, InputStream in, long length, OutputStream out)
            throws IOException {
        Envelope envelope = Envelope.create(keys.newest(), keys.random(Envelope.SALT_BYTES), name);
        out.write(envelope.header());
        CRC32C crc = new CRC32C();
        long chunks = Envelope.chunks(length);
        for (long i = 0; i < chunks; i++) {
            byte[] plain = in.readNBytes(Envelope.CHUNK_BYTES);
            crc.update(plain);
            out.write(envelope.seal(i, i == chunks - 1, plain));
        }
        return (int) crc.getValue();
    }

    @Override
    public @Nullable ObjectInfo head(String name) {
        ObjectInfo info = base.head(name);
        return info == null ? null : plain(info);
    }

    /** What is not encrypted is shown as it is; reading it fails. */
    private static ObjectInfo plain(ObjectInfo info) {
        long length = Envelope.plainLength(info.length());
        return new ObjectInfo(
                info.name(), length < 0 ? info.length() : length, null, info.modifiedMillis());
    }

    @Override
    public byte[] get(String name, long bytesMax) {
        long most = Math.min(bytesMax, Integer.MAX_VALUE / 2);
        byte[] sealed = base.get(name, Envelope.sealedLength(most));
        ByteArrayOutputStream content = new ByteArrayOutputStream(sealed.length);
        try {
            open(name, new ByteArrayInputStream(sealed), sealed.length, content);
        } catch (IOException e) {
            throw StoreErrors.corrupt(name, String.valueOf(e.getMessage()));
        }
        if (content.size() > bytesMax) {
            throw StoreErrors.tooLong(name, content.size(), bytesMax);
        }
        return content.toByteArray();
    }

    @Override
    public byte[] getRange(String name, long offset, int length) {
        StoreErrors.checkRange(name, offset, length);
        ObjectInfo info = base.head(name);
        if (info == null) {
            throw StoreErrors.notFound(name, describe());
        }
        long plain = Envelope.plainLength(info.length());
        if (plain < 0 || offset + length > plain) {
            throw StoreErrors.endsBefore(name, plain, offset + length);
        }
        if (length == 0) {
            return new byte[0];
        }
        long chunks = Envelope.chunks(plain);
        long first = offset / Envelope.CHUNK_BYTES;
        long end = (offset + length - 1) / Envelope.CHUNK_BYTES + 1;
        long from = Envelope.offset(first);
        int sealedLength = (int) (Math.min(Envelope.offset(end), info.length()) - from);
        byte[] sealed = base.getRange(name, from, sealedLength);
        Envelope envelope = envelope(name);
        byte[] content = new byte[length];
        int at = 0;
        for (long i = first; i < end; i++) {
            int begin = (int) (Envelope.offset(i) - from);
            int stop = (int) Math.min(Envelope.offset(i + 1) - from, sealedLength);
            byte[] chunk =
                    unseal(name, envelope, i, chunks, Arrays.copyOfRange(sealed, begin, stop));
            int skip = i == first ? (int) (offset % Envelope.CHUNK_BYTES) : 0;
            int take = Math.min(chunk.length - skip, length - at);
            System.arraycopy(chunk, skip, content, at, take);
            at += take;
        }
        return content;
    }

    private Envelope envelope(String name) {
        synchronized (envelopes) {
            Envelope known = envelopes.get(name);
            if (known != null) {
                return known;
            }
        }
        Envelope read = envelope(name, base.getRange(name, 0, Envelope.HEADER_BYTES));
        synchronized (envelopes) {
            envelopes.put(name, read);
        }
        return read;
    }

    private Envelope envelope(String name, byte[] header) {
        try {
            return Envelope.of(header, keys.byId(Envelope.keyId(header)), name);
        } catch (SealBroken e) {
            throw StoreErrors.corrupt(name, String.valueOf(e.getMessage()));
        }
    }

    private static byte[] unseal(
            String name, Envelope envelope, long index, long chunks, byte[] sealed) {
        try {
            return envelope.open(index, index == chunks - 1, sealed);
        } catch (SealBroken e) {
            throw StoreErrors.corrupt(name, e.getMessage() + " (chunk " + index + ")");
        }
    }

    /** Returns the CRC32C of the content. */
    private int open(String name, InputStream sealed, long sealedLength, OutputStream out)
            throws IOException {
        long length = Envelope.plainLength(sealedLength);
        Envelope envelope = envelope(name, sealed.readNBytes(Envelope.HEADER_BYTES));
        if (length < 0) {
            throw StoreErrors.corrupt(name, "it was cut off");
        }
        long chunks = Envelope.chunks(length);
        CRC32C crc = new CRC32C();
        for (long i = 0; i < chunks; i++) {
            int size = (int) (Math.min(Envelope.offset(i + 1), sealedLength) - Envelope.offset(i));
            byte[] plain = unseal(name, envelope, i, chunks, sealed.readNBytes(size));
            crc.update(plain);
            out.write(plain);
        }
        return (int) crc.getValue();
    }

    @Override
    public ObjectInfo getToFile(String name, Path target) {
        Path sealed = target.resolveSibling(target.getFileName() + ".enc");
        boolean mine = false;
        boolean whole = false;
        if (Files.exists(target)) {
            throw new ObjectStoreException(
                    Kind.INVALID, name, target + " exists: it is not overwritten", null);
        }
        Folders.deleteQuietly(sealed);
        try {
            ObjectInfo info = base.getToFile(name, sealed);
            try (InputStream in = Files.newInputStream(sealed);
                    OutputStream out =
                            Files.newOutputStream(
                                    target,
                                    StandardOpenOption.CREATE_NEW,
                                    StandardOpenOption.WRITE)) {
                mine = true;
                int crc32c = open(name, in, info.length(), out);
                whole = true;
                return new ObjectInfo(name, Envelope.plainLength(info.length()), crc32c);
            }
        } catch (IOException e) {
            throw StoreErrors.failed(name, "decrypt into " + target, e);
        } finally {
            Folders.deleteQuietly(sealed);
            if (mine && !whole) {
                Folders.deleteQuietly(target);
            }
        }
    }

    @Override
    public List<ObjectInfo> list(String prefix, String after, int limit) {
        List<ObjectInfo> found = new ArrayList<>();
        String from = after;
        while (found.size() < limit) {
            List<ObjectInfo> page = base.list(prefix, from, limit - found.size());
            for (ObjectInfo info : page) {
                from = info.name();
                if (!from.startsWith(DataKeys.PREFIX)) {
                    found.add(plain(info));
                }
            }
            if (page.isEmpty()) {
                break;
            }
        }
        return found;
    }

    @Override
    public void delete(String name) {
        if (name.startsWith(DataKeys.PREFIX)) {
            throw new ObjectStoreException(
                    Kind.INVALID, name, "keys are not deleted: what they encrypt is lost", null);
        }
        base.delete(name);
    }

    @Override
    public String describe() {
        return base.describe() + ", encrypted";
    }

    @Override
    public void close() {
        base.close();
    }
}
