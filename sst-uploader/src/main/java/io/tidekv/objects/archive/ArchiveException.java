package io.tidekv.objects.archive;

/** The archive cannot give what was asked for. The message says what is wrong, and where. */
public final class ArchiveException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /** What is wrong. */
    public enum Kind {
        /** An object is not what it was when it was stored. */
        DAMAGED,
        /** Entries are in no object, or not known to be committed. */
        HOLE,
        /** Two objects cannot both be right: the region's log must not be restored from here. */
        CONTRADICTION,
        /** There is nothing of such a region or log. */
        UNKNOWN
    }

    private final Kind kind;

    public ArchiveException(Kind kind, String message) {
        super(message);
        this.kind = kind;
    }

    static ArchiveException damaged(String object, String problem) {
        return new ArchiveException(
                Kind.DAMAGED, "archived log " + object + " is damaged: " + problem);
    }

    public Kind kind() {
        return kind;
    }
}
