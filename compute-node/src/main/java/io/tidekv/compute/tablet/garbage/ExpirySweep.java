package io.tidekv.compute.tablet.garbage;

import io.tidekv.compute.engine.ApiMode;
import io.tidekv.compute.engine.Cf;
import io.tidekv.compute.raw.RawValues;
import io.tidekv.compute.raw.RawValues.RawValue;

/**
 * Drops raw values of API V1TTL that have ended. Their keys may be written again: a deletion holds
 * only for the value that was seen.
 */
public final class ExpirySweep implements Sweep {
    private final Cf cf;
    private final RawValues values = new RawValues(ApiMode.V1TTL);
    private final long nowSeconds;
    private final Endings endings;
    private long dropped;

    public ExpirySweep(Cf cf, long nowSeconds) {
        this.cf = cf;
        this.nowSeconds = nowSeconds;
        this.endings = new Endings(nowSeconds);
    }

    @Override
    public Cf cf() {
        return cf;
    }

    @Override
    public void row(byte[] key, byte[] value, Deletions out) {
        RawValue raw = values.decode(value, nowSeconds);
        if (raw == null) {
            out.deleteIfSame(cf, key, value);
            dropped++;
        }
        endings.add(raw);
    }

    @Override
    public long dropped() {
        return dropped;
    }

    @Override
    public long endsAtSeconds() {
        return endings.dueSeconds();
    }
}
