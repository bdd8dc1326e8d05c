package io.tidekv.compute.tablet.garbage;

import io.tidekv.compute.engine.Cf;
import io.tidekv.compute.engine.WriteBatchBuilder;
import java.util.ArrayList;
import java.util.List;

/**
 * Deletions that a {@link Sweep} asks for, to be applied in one step. Belongs to one thread.
 *
 * <p>Keys that may be written again at any time are deleted only while they hold what the sweep has
 * seen: {@link #ifSame} is to be compared when it is applied, with no write in between.
 */
public final class Deletions {
    private final WriteBatchBuilder always = new WriteBatchBuilder();
    private final List<Seen> ifSame = new ArrayList<>();
    private int bytes;

    /** A row as it was seen. */
    @SuppressWarnings("ArrayRecordComponent") // made for one batch, never changed
    public record Seen(Cf cf, byte[] key, byte[] value) {}

    /** Deletes a key that is never written again. */
    void delete(Cf cf, byte[] key) {
        always.delete(cf, key);
        bytes += key.length;
    }

    /** Deletes a key as long as it has this value. */
    void deleteIfSame(Cf cf, byte[] key, byte[] value) {
        ifSame.add(new Seen(cf, key, value));
        bytes += key.length + value.length;
    }

    /** Of keys that are never written again. */
    public WriteBatchBuilder always() {
        return always;
    }

    /** Of keys that may have another value by now. */
    public List<Seen> ifSame() {
        return ifSame;
    }

    public boolean isEmpty() {
        return always.isEmpty() && ifSame.isEmpty();
    }

    /** About what is held in memory. */
    public int sizeBytes() {
        return bytes;
    }
}
