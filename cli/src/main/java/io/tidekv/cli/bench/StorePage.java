package io.tidekv.cli.bench;

import io.tidekv.objects.cost.Requests;

/** The metrics of one store. */
record StorePage(String statusAddress) {
    /** The page; empty when it cannot be had. */
    String read() {
        return MetricsPage.of(statusAddress).text();
    }

    /** A series without labels; 0 when it is not there. */
    long value(String series) {
        return Requests.value(read(), series);
    }
}
