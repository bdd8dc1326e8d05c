package io.tidekv.objects.store;

import io.tidekv.common.Randomness;
import io.tidekv.objects.crypto.MasterKey;
import io.tidekv.objects.store.ObjectStoreException.Kind;
import java.io.IOException;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Opens object stores by URI: {@code file:DIR}, {@code memory:} or {@code s3://bucket/prefix?…}
 * (see docs/object-store.md).
 */
public final class ObjectStores {
    /** A parameter of every kind of URI: contents are encrypted on this side. */
    private static final Pattern MASTER_KEY_FILE = Pattern.compile("([?&])master-key-file=([^&]*)");

    private ObjectStores() {}

    public static ObjectStore open(String uri) {
        return open(uri, StoreContext.system());
    }

    /**
     * Throws INVALID with a one-line remedy for a URI that names no store. A remote store is not
     * contacted before the first call: use {@link #probe} to find out early.
     */
    public static ObjectStore open(String uri, StoreContext context) {
        Matcher encrypted = MASTER_KEY_FILE.matcher(uri);
        if (!encrypted.find()) {
            return plain(uri, context);
        }
        String rest = uri.substring(0, encrypted.start()) + uri.substring(encrypted.end());
        // What followed the first parameter begins the list now.
        boolean first = encrypted.group(1).equals("?") && encrypted.end() < uri.length();
        String base = first ? rest.replaceFirst("&", "?") : rest;
        MasterKey master;
        try {
            master = MasterKey.read(Path.of(encrypted.group(2)));
        } catch (IOException | IllegalArgumentException e) {
            throw new ObjectStoreException(Kind.INVALID, "", "no master key: " + e.getMessage(), e);
        }
        return new EncryptedObjectStore(plain(base, context), master, Randomness.real());
    }

    private static ObjectStore plain(String uri, StoreContext context) {
        String lower = uri.toLowerCase(Locale.ROOT);
        if (lower.equals("memory:")) {
            return new MemoryObjectStore();
        }
        if (lower.startsWith("file:")) {
            return new FileObjectStore(folder(uri), context);
        }
        if (lower.startsWith("s3://")) {
            S3Location location = S3Location.parse(uri);
            ObjectStore bucket = new S3ObjectStore(location, context, S3Limits.DEFAULT);
            return location.prefix().isEmpty()
                    ? bucket
                    : PrefixedObjectStore.owning(bucket, location.prefix());
        }
        throw bad(uri, "use file:DIR, s3://bucket/prefix?endpoint=… or memory:");
    }

    /** Lists one name, so that a wrong address or wrong credentials show at start-up. */
    public static void probe(ObjectStore store) {
        store.list("", "", 1);
    }

    private static Path folder(String uri) {
        String rest = uri.substring("file:".length());
        String path = rest.startsWith("///") ? rest.substring(2) : rest;
        if (path.isEmpty() || path.startsWith("//")) {
            throw bad(uri, "name a folder: file:/var/lib/tidekv/objects, or file:objects");
        }
        try {
            return Path.of(path);
        } catch (InvalidPathException e) {
            throw bad(uri, "name a folder: file:/var/lib/tidekv/objects");
        }
    }

    /** Parameters may be secrets: only what stands before them is shown. */
    static ObjectStoreException bad(String uri, String remedy) {
        int query = uri.indexOf('?');
        String shown = query < 0 ? uri : uri.substring(0, query) + "?…";
        return new ObjectStoreException(
                Kind.INVALID, "", "bad object store URI \"" + shown + "\": " + remedy, null);
    }
}
