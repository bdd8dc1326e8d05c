package io.tidekv.compute.mvcc;

import io.tidekv.common.codec.CodecException;

/** What a commit record stands for; the letter is its first byte. */
public enum WriteKind {
    PUT('P'),
    DELETE('D'),
    /** The transaction locked the key without changing it. */
    LOCK('L'),
    /** The transaction that started at this timestamp can never commit this key. */
    ROLLBACK('R');

    private final char letter;

    WriteKind(char letter) {
        this.letter = letter;
    }

    /** True for kinds that change what readers see. */
    public boolean changesData() {
        return this == PUT || this == DELETE;
    }

    char letter() {
        return letter;
    }

    static WriteKind of(int letter) {
        for (WriteKind kind : values()) {
            if (kind.letter == letter) {
                return kind;
            }
        }
        throw new CodecException("a commit record is of an unknown kind");
    }
}
