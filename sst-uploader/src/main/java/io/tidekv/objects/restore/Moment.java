package io.tidekv.objects.restore;

import io.tidekv.proto.manifest.TabletRecord;
import java.time.Instant;

/**
 * Up to when a restored cluster goes.
 *
 * @param atMillis the time that was asked for or chosen; {@link Long#MAX_VALUE}: all there is
 * @param logMillis entries that WAL nodes wrote later are left out
 * @param upToTs highest commit timestamp that stays; -1: all do
 * @param whole for each commit record that stays all prewrites of its transaction are in the states
 */
record Moment(long atMillis, long logMillis, long upToTs, boolean whole) {
    /** How far the clocks of WAL nodes, PD and the object store may lie apart. */
    static final long MARGIN_MILLIS = 1000;

    private static final int LOGICAL_BITS = 18;

    /** Everything, whether or not it fits together. */
    static final Moment ALL = new Moment(Long.MAX_VALUE, Long.MAX_VALUE, -1, false);

    /** Everything, and it is known to fit together. */
    static final Moment END = new Moment(Long.MAX_VALUE, Long.MAX_VALUE, -1, true);

    /**
     * Throws {@link RestoreRefused} when the archive does not go so far.
     *
     * @param untilMillis until when it has everything; 0: nothing is certain
     */
    static Moment at(long millis, long untilMillis) {
        if (untilMillis == 0) {
            throw new RestoreRefused(
                    "there is no whole archive of the log, so no point in time can be restored:"
                            + " leave --at out, or see archive.enabled");
        }
        long until = untilMillis - MARGIN_MILLIS;
        if (millis > until) {
            throw new RestoreRefused(
                    "the archive of the log has everything only until "
                            + Instant.ofEpochMilli(Math.max(until, 0))
                            + ": choose that or an earlier time, or leave --at out");
        }
        return new Moment(millis, millis + MARGIN_MILLIS, ((millis + 1) << LOGICAL_BITS) - 1, true);
    }

    /** What a backup holds; {@code ts} 0: it is of no moment. */
    static Moment of(long ts) {
        return ts == 0 ? ALL : new Moment(ts >>> LOGICAL_BITS, Long.MAX_VALUE, ts, true);
    }

    boolean isCut() {
        return atMillis != Long.MAX_VALUE;
    }

    /** A region is not shut by a flashback that began later. */
    TabletRecord opened(TabletRecord record) {
        boolean later = Long.compareUnsigned(record.getFlashbackStartTs(), upToTs) > 0;
        return later ? record.toBuilder().clearFlashbackStartTs().build() : record;
    }
}
