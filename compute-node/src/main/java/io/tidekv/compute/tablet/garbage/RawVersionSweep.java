package io.tidekv.compute.tablet.garbage;

import io.tidekv.compute.engine.ApiMode;
import io.tidekv.compute.engine.Cf;
import io.tidekv.compute.raw.RawValues;
import io.tidekv.compute.raw.RawValues.RawValue;
import java.util.Optional;

/**
 * Drops versions of raw keys of API V2 at or below a timestamp: all but the newest of them, and
 * that one too when it has ended or is a deletion. Rules: TiKV's {@code
 * src/server/gc_worker/rawkv_compaction_filter.rs}.
 */
public final class RawVersionSweep extends VersionedSweep<Optional<RawValue>> {
    private static final byte[] FROM = {'r'};
    private static final byte[] TO = {'s'};

    private final RawValues values = new RawValues(ApiMode.V2);
    private final long nowSeconds;
    private final long whenOld;
    private final Endings endings;

    /**
     * @param upToTs newer versions stay
     * @param whenOld second from which on all versions that are there now are old
     */
    public RawVersionSweep(long upToTs, long nowSeconds, long whenOld) {
        super(upToTs);
        this.nowSeconds = nowSeconds;
        this.whenOld = whenOld;
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
    Optional<RawValue> decode(byte[] value) {
        RawValue raw = values.decode(value, nowSeconds);
        endings.add(raw);
        return Optional.ofNullable(raw);
    }

    @Override
    boolean hasValue(Optional<RawValue> raw) {
        return raw.isPresent();
    }

    @Override
    boolean saysNothing(Optional<RawValue> raw) {
        return false;
    }

    @Override
    void comesLater() {
        endings.add(whenOld);
    }

    @Override
    void drop(byte[] key, byte[] stored, Optional<RawValue> raw, Deletions out) {
        out.delete(Cf.DEFAULT, stored);
    }

    @Override
    public long endsAtSeconds() {
        return endings.dueSeconds();
    }
}
