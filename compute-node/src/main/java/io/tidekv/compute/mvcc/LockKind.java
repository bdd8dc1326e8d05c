package io.tidekv.compute.mvcc;

import io.tidekv.common.codec.CodecException;

/** What a lock will become when it is committed; the letter is the first byte of its record. */
public enum LockKind {
    PUT('P'),
    DELETE('D'),
    LOCK('L'),
    PESSIMISTIC('S');

    private final char letter;

    LockKind(char letter) {
        this.letter = letter;
    }

    char letter() {
        return letter;
    }

    static LockKind of(int letter) {
        for (LockKind kind : values()) {
            if (kind.letter == letter) {
                return kind;
            }
        }
        throw new CodecException("a lock record is of an unknown kind");
    }
}
