package io.tidekv.compute.deadlock;

import io.tidekv.compute.deadlock.DeadlockGraph.Wait;
import java.util.List;

/** The way to the store that detects deadlocks at present. Thread-safe; does not block. */
public interface DetectorLink extends AutoCloseable {
    /**
     * Looks for the detector and opens a session with it. The listener is called after this method
     * has returned, on other threads, one call at a time.
     */
    Session open(Listener listener);

    @Override
    void close();

    /** What one store tells the detector; all of it is forgotten when the session ends. */
    interface Session {
        /** A wait begins. False when too much has not been sent: give the session up. */
        boolean enter(Wait wait);

        /** A wait is over. False as above. */
        boolean leave(Wait wait);

        /** Ends the session; nothing more is called back. */
        void close();
    }

    /** How the detector answers. */
    interface Listener {
        /** The session takes waits from now on. */
        void onReady();

        /** A wait, the last one here, closes a circle; it has not been entered. */
        void onCircle(List<Wait> circle);

        /** There is no session, or no longer: the detector is lost, or is another store now. */
        void onEnd();
    }
}
