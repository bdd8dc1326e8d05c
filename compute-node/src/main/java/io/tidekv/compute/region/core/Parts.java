package io.tidekv.compute.region.core;

import com.google.protobuf.ByteString;
import io.tidekv.proto.region.Entry;
import io.tidekv.proto.region.EntryKind;

/**
 * Puts what is proposed at the end of the log: a large payload as several entries, all in one step,
 * so that nothing of the term ever comes between them. Voters know nothing of that, and messages
 * and reads stay small; {@link io.tidekv.common.codec.EntryAssembler} makes it whole again.
 */
final class Parts {
    private final Leadership leadership;

    Parts(Leadership leadership) {
        this.leadership = leadership;
    }

    /** What the payload takes of the window. */
    long bytesOf(ByteString data) {
        long count = 1L + (Math.max(1, data.size()) - 1) / leadership.options.partBytes();
        return data.size() + count * EntryWindow.OVERHEAD_BYTES;
    }

    void append(EntryKind kind, ByteString data) {
        int from = 0;
        while (data.size() - from > leadership.options.partBytes()) {
            int to = from + leadership.options.partBytes();
            add(EntryKind.PART, data.substring(from, to));
            from = to;
        }
        add(kind, data.substring(from));
    }

    /** Adds one entry as it is. */
    void add(EntryKind kind, ByteString data) {
        Entry entry =
                Entry.newBuilder()
                        .setIndex(leadership.window().lastIndex() + 1)
                        .setTerm(leadership.term)
                        .setKind(kind)
                        .setData(data)
                        .build();
        leadership.window().add(entry);
        leadership.feed.proposed(entry);
    }
}
