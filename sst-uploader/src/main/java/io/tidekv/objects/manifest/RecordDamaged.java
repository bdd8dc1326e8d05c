package io.tidekv.objects.manifest;

/** A record cannot be trusted. Names the object; the region that it belongs to cannot be opened. */
public final class RecordDamaged extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final String object;

    public RecordDamaged(String object, String problem) {
        super("record " + object + " is damaged: " + problem);
        this.object = object;
    }

    /** Name below the cluster's prefix. */
    public String object() {
        return object;
    }
}
