package io.tidekv.compute.tablet.manifest;

/** A MANIFEST, or a record that should become one, makes no sense. */
public final class ManifestException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    public ManifestException(String message) {
        super(message);
    }
}
