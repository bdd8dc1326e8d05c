package io.tidekv.pd.log;

/** This PD node does not lead. The text is one that clients look for. */
public final class NotLeaderException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    public NotLeaderException(String leader) {
        super(
                leader.isEmpty() ? "not leader: no leader at present" : "not leader: ask " + leader,
                null,
                false,
                false);
    }
}
