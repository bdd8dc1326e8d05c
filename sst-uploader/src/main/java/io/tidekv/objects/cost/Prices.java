package io.tidekv.objects.cost;

import io.tidekv.common.config.Setting;

/** Prices in dollars. The defaults are the list prices of S3 Standard and EBS in us-east-1. */
public record Prices(
        @Setting(value = "0.005", doc = "Dollars for 1000 PUT, POST or LIST requests.")
                double putsPerThousand,
        @Setting(value = "0.0004", doc = "Dollars for 1000 GET or HEAD requests.")
                double getsPerThousand,
        @Setting(
                        value = "0.023",
                        doc = "Dollars to keep a GB (10^9 bytes) in the store for a month.")
                double gbMonth,
        @Setting(value = "0.08", doc = "Dollars for a GB-month of a gp3 volume, to compare with.")
                double gp3GbMonth) {
    public static final Prices DEFAULT = new Prices(0.005, 0.0004, 0.023, 0.08);

    public Prices {
        if (putsPerThousand < 0 || getsPerThousand < 0 || gbMonth < 0 || gp3GbMonth < 0) {
            throw new IllegalArgumentException("prices cannot be negative");
        }
    }
}
