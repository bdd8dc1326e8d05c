package io.tidekv.common.codec;

/** Bytes are not what they should be: truncated, padded wrongly, or of an unknown kind. */
public final class CodecException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    public CodecException(String message) {
        super(message, null, false, false);
    }
}
