package io.tidekv.cli.ctl;

import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.tidekv.cli.CliException;
import io.tidekv.cli.Console;
import io.tidekv.cli.server.OrderlyEnd;
import io.tidekv.common.time.SystemClock;
import java.util.function.Supplier;

/**
 * Waits until an order has taken effect and says how it goes. PD carries the order out by itself:
 * whoever stops waiting takes nothing back.
 */
final class Patience {
    private static final long POLL_MILLIS = 200;

    private final Console console;
    private final long timeoutSeconds;

    /** How far it has come. */
    record Stand(boolean done, String text) {}

    Patience(Console console, long timeoutSeconds) {
        this.console = console;
        this.timeoutSeconds = timeoutSeconds;
    }

    /** Returns when it is done. Throws when the time is up, or the user has had enough. */
    void await(String order, Supplier<Stand> look) {
        OrderlyEnd end = OrderlyEnd.install();
        try {
            long until = now() + timeoutSeconds * 1_000_000_000L;
            String said = "";
            do {
                Stand stand = look(look, said);
                if (!stand.text().equals(said)) {
                    console.note(stand.text());
                    said = stand.text();
                }
                if (stand.done()) {
                    return;
                } else if (now() - until >= 0) {
                    throw new CliException(
                            order
                                    + " is not done after "
                                    + timeoutSeconds
                                    + " s ("
                                    + said
                                    + "); PD goes on with it");
                }
            } while (!end.await(POLL_MILLIS));
            throw new CliException(order + " is not done yet (" + said + "); PD goes on with it");
        } finally {
            end.done();
        }
    }

    /** PD may just be changing its leader. */
    private static Stand look(Supplier<Stand> look, String said) {
        try {
            return look.get();
        } catch (StatusRuntimeException e) {
            if (e.getStatus().getCode() != Status.Code.UNAVAILABLE) {
                throw e;
            }
            return new Stand(false, said);
        }
    }

    private static long now() {
        return SystemClock.INSTANCE.monotonicNanos();
    }
}
