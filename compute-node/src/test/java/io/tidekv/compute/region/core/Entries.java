package io.tidekv.compute.region.core;

import com.google.protobuf.ByteString;
import io.tidekv.proto.region.Entry;
import io.tidekv.proto.region.EntryKind;
import java.util.ArrayList;
import java.util.List;

/** Entries of tests. */
final class Entries {
    private Entries() {}

    static Entry write(long index, long term, String text) {
        return Entry.newBuilder()
                .setIndex(index)
                .setTerm(term)
                .setKind(EntryKind.WRITE)
                .setData(ByteString.copyFromUtf8(text))
                .build();
    }

    static long propose(RegionLeader leader, String text) {
        return leader.propose(EntryKind.WRITE, ByteString.copyFromUtf8(text));
    }

    /** The texts of the writes among the entries. */
    static List<String> texts(List<Entry> entries) {
        List<String> texts = new ArrayList<>();
        for (Entry entry : entries) {
            if (entry.getKind() == EntryKind.WRITE) {
                texts.add(entry.getData().toStringUtf8());
            }
        }
        return texts;
    }
}
