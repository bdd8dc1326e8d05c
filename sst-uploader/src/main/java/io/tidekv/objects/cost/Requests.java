package io.tidekv.objects.cost;

/**
 * Requests to an object store, as they are billed.
 *
 * @param puts PUT and POST requests; an upload in parts is several
 * @param gets GET and HEAD requests
 * @param lists LIST requests, billed as puts
 * @param deletes which cost nothing
 */
public record Requests(
        long puts, long gets, long lists, long deletes, long bytesWritten, long bytesRead) {
    public static final Requests NONE = new Requests(0, 0, 0, 0, 0, 0);
    private static final String COUNTS = "tidekv_object_store_requests_total{kind=\"";
    private static final String BYTES = "tidekv_object_store_bytes_total{direction=\"";

    public Requests plus(Requests other) {
        return new Requests(
                puts + other.puts,
                gets + other.gets,
                lists + other.lists,
                deletes + other.deletes,
                bytesWritten + other.bytesWritten,
                bytesRead + other.bytesRead);
    }

    /** What has come since {@code earlier}; a process that was restarted counts from zero. */
    public Requests since(Requests earlier) {
        return new Requests(
                Math.max(0, puts - earlier.puts),
                Math.max(0, gets - earlier.gets),
                Math.max(0, lists - earlier.lists),
                Math.max(0, deletes - earlier.deletes),
                Math.max(0, bytesWritten - earlier.bytesWritten),
                Math.max(0, bytesRead - earlier.bytesRead));
    }

    public double dollars(Prices prices) {
        return (puts + lists) * prices.putsPerThousand() / 1000
                + gets * prices.getsPerThousand() / 1000;
    }

    /** From a process's {@code /metrics}. */
    public static Requests parse(String exposition) {
        return new Requests(
                value(exposition, COUNTS + "put\"}"),
                value(exposition, COUNTS + "get\"}"),
                value(exposition, COUNTS + "list\"}"),
                value(exposition, COUNTS + "delete\"}"),
                value(exposition, BYTES + "written\"}"),
                value(exposition, BYTES + "read\"}"));
    }

    /** Value of a series in a text exposition; 0 when it is not there. */
    public static long value(String exposition, String series) {
        int at = exposition.indexOf("\n" + series + " ");
        if (at < 0) {
            return 0;
        }
        int from = at + series.length() + 2;
        int end = exposition.indexOf('\n', from);
        String text = exposition.substring(from, end < 0 ? exposition.length() : end);
        try {
            return (long) Double.parseDouble(text.strip());
        } catch (NumberFormatException e) {
            return 0;
        }
    }
}
