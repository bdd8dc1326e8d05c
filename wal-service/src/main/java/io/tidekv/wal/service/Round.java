package io.tidekv.wal.service;

import io.tidekv.proto.wal.WalError;
import io.tidekv.proto.wal.WalErrorCode;
import io.tidekv.proto.wal.WalRequest;
import io.tidekv.proto.wal.WalResponse;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The responses of one round, by sender, held back until the round is durable. */
final class Round {
    private static final Logger log = LoggerFactory.getLogger(Round.class);

    private static final class Held {
        final List<WalResponse> responses = new ArrayList<>();
        int bytes;
    }

    // Senders in order of arrival; the map only finds them again.
    private final List<Replies> senders = new ArrayList<>();
    private final IdentityHashMap<Replies, Held> held = new IdentityHashMap<>();

    boolean isEmpty() {
        return senders.isEmpty();
    }

    /** Opens the answer to a submission of {@code bytes}; its responses go into the list. */
    List<WalResponse> answer(Replies replies, int bytes) {
        Held mine =
                held.computeIfAbsent(
                        replies,
                        sender -> {
                            senders.add(sender);
                            return new Held();
                        });
        mine.bytes += bytes;
        return mine.responses;
    }

    /** Sends everything. */
    void deliver() {
        for (Replies sender : senders) {
            Held mine = held.get(sender);
            if (mine != null) {
                try {
                    sender.deliver(mine.responses, mine.bytes);
                } catch (RuntimeException e) {
                    log.warn("responses could not be handed over", e);
                }
            }
        }
    }

    /** Sends errors in place of everything: nothing of this round is certain. */
    void deliverFailure(String message) {
        for (Held mine : held.values()) {
            mine.responses.replaceAll(
                    response ->
                            error(
                                    response.getSeq(),
                                    response.getRegionId(),
                                    WalErrorCode.STORAGE_FAILED,
                                    message));
        }
        deliver();
    }

    static WalResponse error(WalRequest request, WalErrorCode code, String message) {
        return error(request.getSeq(), request.getRegionId(), code, message);
    }

    private static WalResponse error(long seq, long regionId, WalErrorCode code, String message) {
        return WalResponse.newBuilder()
                .setSeq(seq)
                .setRegionId(regionId)
                .setError(WalError.newBuilder().setCode(code).setMessage(message))
                .build();
    }
}
