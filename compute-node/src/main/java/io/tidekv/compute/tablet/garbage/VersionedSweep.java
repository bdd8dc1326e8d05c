package io.tidekv.compute.tablet.garbage;

import io.tidekv.common.codec.CodecException;
import io.tidekv.common.codec.Ints;
import io.tidekv.compute.mvcc.Ts;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Goes through each key's versions, newest first. Of those at or below a timestamp only the newest
 * that says anything stays, and not even that when it says that there is no value: it goes after
 * the versions that it hides. Versions' keys are never written again.
 *
 * @param <T> a decoded row
 */
abstract class VersionedSweep<T> implements Sweep {
    private final long upToTs;
    private byte[] key = {};
    private boolean covered;
    private boolean newerAbove;
    private byte @Nullable [] hiding;
    private @Nullable T hidingRow;
    private long dropped;

    /**
     * @param upToTs newer versions stay
     */
    VersionedSweep(long upToTs) {
        this.upToTs = upToTs;
    }

    abstract T decode(byte[] value);

    /** Whether a reader gets a value from it. */
    abstract boolean hasValue(T row);

    /** Whether a reader that meets it has to look at an older version. */
    abstract boolean saysNothing(T row);

    /** A row that is garbage as soon as the timestamp has passed what is there now. */
    abstract void comesLater();

    /** Deletes a row, and what belongs to it. */
    abstract void drop(byte[] key, byte[] stored, T row, Deletions out);

    @Override
    public final void row(byte[] stored, byte[] value, Deletions out) {
        if (stored.length < Long.BYTES) {
            throw new CodecException("a versioned key is shorter than its version");
        }
        int length = stored.length - Long.BYTES;
        if (!Arrays.equals(stored, 0, length, key, 0, key.length)) {
            finish(out);
            key = Arrays.copyOf(stored, length);
            covered = false;
            newerAbove = false;
        }
        T row = decode(value);
        if (!Ts.atMost(Ints.lastDesc(stored), upToTs)) {
            if (newerAbove || !hasValue(row)) {
                comesLater();
            }
            newerAbove = true;
        } else if (covered || saysNothing(row)) {
            drop(key, stored, row, out);
            dropped++;
        } else {
            covered = true;
            if (!hasValue(row)) {
                hiding = stored.clone();
                hidingRow = row;
            } else if (newerAbove) {
                comesLater();
            }
        }
    }

    @Override
    public final void finish(Deletions out) {
        if (hiding != null && hidingRow != null) {
            drop(key, hiding, hidingRow, out);
            dropped++;
            hiding = null;
        }
    }

    @Override
    public final long dropped() {
        return dropped;
    }
}
