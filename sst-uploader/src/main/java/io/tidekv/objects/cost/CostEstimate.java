package io.tidekv.objects.cost;

import java.time.Duration;

/**
 * What a cluster costs at the object store if it goes on as it was seen, in dollars.
 *
 * @param requestsPerMonth for requests, at the rate seen; of an idle cluster, its idle cost
 * @param storagePerMonth for what is stored
 * @param perMillionWrites for the requests that were made, by a million of write requests; 0 when
 *     there were none
 * @param perGbMonth for a GB of the user's data, requests included; 0 when there are none
 * @param gp3PerMonth three copies of the user's data on gp3 volumes, full to the last byte
 */
public record CostEstimate(
        double requestsPerMonth,
        double storagePerMonth,
        double perMillionWrites,
        double perGbMonth,
        double gp3PerMonth) {
    private static final double MONTH_SECONDS = 730 * 3600;
    private static final double GB = 1e9;

    /**
     * @param over the time in which {@code seen} was counted
     * @param writes write requests of clients in that time
     * @param storedBytes in the object store
     * @param dataBytes of the user's data that is stored, garbage not counted
     */
    public static CostEstimate of(
            Requests seen, Duration over, long writes, long storedBytes, long dataBytes, Prices p) {
        double seconds = Math.max(0.001, over.toMillis() / 1000.0);
        double requests = seen.dollars(p) * MONTH_SECONDS / seconds;
        double storage = storedBytes / GB * p.gbMonth();
        return new CostEstimate(
                requests,
                storage,
                writes == 0 ? 0 : seen.dollars(p) * 1e6 / writes,
                dataBytes == 0 ? 0 : (requests + storage) / (dataBytes / GB),
                3 * dataBytes / GB * p.gp3GbMonth());
    }

    public double perMonth() {
        return requestsPerMonth + storagePerMonth;
    }
}
