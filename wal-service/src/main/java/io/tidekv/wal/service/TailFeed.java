package io.tidekv.wal.service;

import io.tidekv.proto.region.Entry;
import io.tidekv.proto.wal.TailResponse;
import io.tidekv.wal.core.VoterNode;
import io.tidekv.wal.core.VoterStorage;
import io.tidekv.wal.core.VoterView;
import java.util.List;

/** One tail: where it stands and where it goes. Used on the writer thread only. */
final class TailFeed {
    private static final int CHUNK_BYTES = 1 << 20;

    private final long regionId;
    private final TailSink sink;
    private long next;
    private long commitTold = -1;

    TailFeed(long regionId, long from, TailSink sink) {
        this.regionId = regionId;
        this.next = Math.max(1, from);
        this.sink = sink;
    }

    /** Sends what has become known to be committed. False when the tail is over. */
    boolean push(VoterNode node, VoterStorage storage) {
        VoterView view = node.view(regionId);
        if (view == null) {
            sink.unknownRegion();
            return false;
        }
        long commit = Math.min(view.commitIndex(), view.lastIndex());
        while (sink.isReady() && (next <= commit || commitTold < commit)) {
            TailResponse.Builder response = TailResponse.newBuilder().setCommitIndex(commit);
            if (next <= view.snapshot().getIndex()) {
                response.setSnapshot(view.snapshot());
                next = view.snapshot().getIndex() + 1;
            }
            if (next <= commit) {
                List<Entry> entries = storage.read(regionId, next, commit, CHUNK_BYTES);
                response.addAllEntries(entries);
                next += entries.size();
            }
            commitTold = commit;
            sink.send(response.build());
        }
        return true;
    }
}
