package io.tidekv.compute.tablet.garbage;

import io.tidekv.common.codec.CodecException;
import io.tidekv.common.codec.Ints;
import io.tidekv.compute.engine.ApiMode;
import io.tidekv.compute.engine.Cf;
import io.tidekv.compute.mvcc.Ts;
import io.tidekv.compute.raw.RawValues;
import io.tidekv.compute.raw.RawValues.RawValue;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Drops versions of raw keys of API V2 at or below a timestamp: all but the newest of them, and
 * that one too when it has ended or is a deletion, after those that it hides. A version's key is
 * never written again. Rules: TiKV's {@code src/server/gc_worker/rawkv_compaction_filter.rs}.
 */
public final class RawVersionSweep implements Sweep {
    private static final byte[] FROM = {'r'};
    private static final byte[] TO = {'s'};

    private final RawValues values = new RawValues(ApiMode.V2);
    private final long upToTs;
    private final long nowSeconds;
    private final long whenOld;
    private final Endings endings;
    private byte[] key = {};
    private boolean covered;
    private boolean newerAbove;
    private byte @Nullable [] last;
    private long dropped;

    /**
     * @param upToTs newer versions stay
     * @param whenOld second from which on all versions that are there now are old
     */
    public RawVersionSweep(long upToTs, long nowSeconds, long whenOld) {
        this.upToTs = upToTs;
        this.whenOld = whenOld;
        this.nowSeconds = nowSeconds;
        this.endings = new Endings(nowSeconds);
    }

    @Override
    public Cf cf() {
        return Cf.DEFAULT;
    }

    @Override
    public byte[] from() {
        return FROM.clone();
    }

    @Override
    public byte[] to() {
        return TO.clone();
    }

    @Override
    public void row(byte[] stored, byte[] value, Deletions out) {
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
        RawValue raw = values.decode(value, nowSeconds);
        if (!Ts.atMost(Ints.lastDesc(stored), upToTs)) {
            if (newerAbove || raw == null) {
                endings.add(whenOld);
            }
            newerAbove = true;
        } else if (covered) {
            out.delete(Cf.DEFAULT, stored);
            dropped++;
        } else {
            covered = true;
            if (raw == null) {
                last = stored.clone();
            } else if (newerAbove) {
                endings.add(whenOld);
            }
        }
        if (raw != null && raw.expireAt() != 0) {
            endings.add(raw.expireAt());
        }
    }

    @Override
    public void finish(Deletions out) {
        if (last != null) {
            out.delete(Cf.DEFAULT, last);
            dropped++;
            last = null;
        }
    }

    @Override
    public long dropped() {
        return dropped;
    }

    @Override
    public long later() {
        return 0;
    }

    @Override
    public long endsAtSeconds() {
        return endings.dueSeconds();
    }
}
