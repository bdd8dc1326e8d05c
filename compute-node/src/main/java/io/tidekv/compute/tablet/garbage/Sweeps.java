package io.tidekv.compute.tablet.garbage;

import io.tidekv.compute.engine.ApiMode;
import io.tidekv.compute.engine.Cf;
import io.tidekv.compute.mvcc.Ts;
import java.time.Duration;
import java.util.List;

/** Which sweeps a tablet needs. */
public final class Sweeps {
    /**
     * Raw data are read at no timestamp but the newest: older versions stay so long for who looks
     * into them, also where nobody moves the safe point.
     */
    static final Duration RAW_VERSIONS = Duration.ofHours(1);

    private Sweeps() {}

    /**
     * One pass.
     *
     * @param safePoint no transaction reads below it
     * @param nowMillis wall clock
     */
    public static List<Sweep> of(ApiMode mode, long safePoint, long nowMillis) {
        long nowSeconds = nowMillis / 1000;
        return switch (mode) {
            case V1 -> List.of(new VersionSweep(safePoint));
            case V1TTL ->
                    List.of(
                            new ExpirySweep(Cf.DEFAULT, nowSeconds),
                            new ExpirySweep(Cf.WRITE, nowSeconds),
                            new ExpirySweep(Cf.LOCK, nowSeconds));
            case V2 ->
                    List.of(
                            new VersionSweep(safePoint),
                            new RawVersionSweep(
                                    rawPoint(safePoint, nowMillis),
                                    nowSeconds,
                                    nowSeconds + RAW_VERSIONS.toSeconds()));
        };
    }

    private static long rawPoint(long safePoint, long nowMillis) {
        long aged = Ts.compose(Math.max(0, nowMillis - RAW_VERSIONS.toMillis()));
        return Ts.less(safePoint, aged) ? aged : safePoint;
    }
}
