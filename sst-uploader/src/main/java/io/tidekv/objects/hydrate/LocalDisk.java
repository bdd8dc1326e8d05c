package io.tidekv.objects.hydrate;

import io.tidekv.objects.store.ObjectStoreException;
import io.tidekv.objects.store.ObjectStoreException.Kind;
import java.io.IOException;

/** Errors of the cache's own disk. */
final class LocalDisk {
    private LocalDisk() {}

    static ObjectStoreException failed(String object, String action, IOException e) {
        boolean full = String.valueOf(e.getMessage()).contains("No space left");
        return new ObjectStoreException(
                full ? Kind.FULL : Kind.UNAVAILABLE,
                object,
                "cannot " + action + (full ? ": the disk is full: free some space" : ": " + e),
                e);
    }
}
