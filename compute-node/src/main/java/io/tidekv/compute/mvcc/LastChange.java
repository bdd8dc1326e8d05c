package io.tidekv.compute.mvcc;

import io.tidekv.common.codec.ByteReader;
import io.tidekv.common.codec.ByteWriter;

/**
 * Where the newest put or delete below a record lies, so that readers can jump over records that
 * change nothing.
 *
 * @param ts its commit timestamp; 0 when there is none or it is not known
 * @param versions about how many records lie between; 0 when nothing is known
 */
public record LastChange(long ts, long versions) {
    public static final LastChange UNKNOWN = new LastChange(0, 0);
    public static final LastChange NONE = new LastChange(0, 1);

    public boolean isKnown() {
        return versions != 0;
    }

    public boolean exists() {
        return ts != 0 && versions != 0;
    }

    static LastChange read(ByteReader in) {
        long ts = in.u64();
        long versions = in.varU64();
        if (versions == 0) {
            return UNKNOWN;
        }
        return ts == 0 ? NONE : new LastChange(ts, versions);
    }

    void write(ByteWriter out) {
        out.u64(ts).varU64(versions);
    }
}
