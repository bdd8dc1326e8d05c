package io.tidekv.objects.restore;

/**
 * Up to when a cluster is to be restored.
 *
 * @param atMillis transactions that were committed later are left out; {@link Long#MAX_VALUE}: as
 *     far as what there is fits together
 * @param evenTorn everything that there is, also where transactions may be there in one region and
 *     not in another
 */
public record Goal(long atMillis, boolean evenTorn) {
    /** As far as it fits together. */
    public static final Goal LATEST = new Goal(Long.MAX_VALUE, false);

    /** Everything. */
    public static final Goal EVERYTHING = new Goal(Long.MAX_VALUE, true);

    /** A point in time, by PD's clock. */
    public static Goal at(long millis) {
        return new Goal(millis, false);
    }

    boolean isPoint() {
        return atMillis != Long.MAX_VALUE;
    }
}
