package io.tidekv.common;

/**
 * A rule of the design does not hold. Never caught to carry on: the region that saw it is fenced,
 * or the process ends.
 */
public final class InvariantViolation extends Error {
    private static final long serialVersionUID = 1L;

    public InvariantViolation(String message) {
        super(message);
    }
}
