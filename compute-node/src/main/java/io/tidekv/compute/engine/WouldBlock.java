package io.tidekv.compute.engine;

/** A read would have to wait for objects and was told not to. It can be done again, waiting. */
public final class WouldBlock extends RuntimeException {
    private static final long serialVersionUID = 1;

    /** Without a stack: it is an answer that is given often. */
    public WouldBlock() {
        super("the read would have to wait", null, false, false);
    }
}
