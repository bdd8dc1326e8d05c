package io.tidekv.compute.tablet;

/**
 * How files that are not on the local disk are read in pieces.
 *
 * @param fromBytes files from this size on; smaller ones are always fetched whole. 0: all are
 * @param bytes largest piece, unless a single block is larger
 * @param wholeAtPercent a file of which so much has been fetched is fetched whole if there is room
 */
public record GranuleSettings(long fromBytes, int bytes, int wholeAtPercent) {
    private static final int USUAL_BYTES = 64 << 10;
    private static final int USUAL_PERCENT = 25;

    /** Every file is fetched whole. */
    public static final GranuleSettings NONE = from(0);

    public GranuleSettings {
        if (fromBytes < 0 || bytes <= 0 || wholeAtPercent <= 0) {
            throw new IllegalArgumentException("granules: expected sizes above 0");
        }
    }

    /** Granules of the usual size in files from {@code bytes} on. */
    public static GranuleSettings from(long bytes) {
        return new GranuleSettings(bytes, USUAL_BYTES, USUAL_PERCENT);
    }
}
