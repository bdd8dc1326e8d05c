package io.tidekv.wal.service;

import io.tidekv.proto.wal.WalResponse;
import java.util.List;

/** Where the responses to a sender go. Called on the writer thread; must not block. */
public interface Replies {
    /**
     * Takes responses in the order of their requests.
     *
     * @param bytes what the answered submissions took up, as it was given to {@code submit}
     */
    void deliver(List<WalResponse> responses, int bytes);
}
