package io.tidekv.wal.service;

import io.tidekv.proto.wal.TailResponse;

/** Where the committed entries of a region go. Called on the writer thread; must not block. */
public interface TailSink {
    /** Whether more can be sent now; if not, {@link Tail#wake} follows when it can. */
    boolean isReady();

    void send(TailResponse response);

    /** The region is not known here; nothing follows. */
    void unknownRegion();
}
