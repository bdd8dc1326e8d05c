package io.tidekv.compute.region.core;

import io.tidekv.common.time.Clock;
import io.tidekv.proto.region.Origin;
import io.tidekv.proto.region.Owner;
import io.tidekv.proto.region.VoterConfig;
import io.tidekv.proto.wal.AppendRequest;
import io.tidekv.proto.wal.CreateRequest;
import io.tidekv.proto.wal.OpenRequest;
import io.tidekv.proto.wal.ReadRequest;
import io.tidekv.proto.wal.ReleaseRequest;
import io.tidekv.proto.wal.RetireRequest;
import io.tidekv.proto.wal.WalRequest;

/** Numbers a leader's requests, notes when each was sent, and hands them out. */
final class Requests {
    private static final int COUNTER_BITS = 40;
    private static final long TERM_MASK = (1L << 20) - 1;

    private final long regionId;
    private final long term;
    private final Owner owner;
    private final LeaderOutbox outbox;
    private long nextSeq;

    Requests(long regionId, long term, Owner owner, LeaderOutbox outbox) {
        this.regionId = regionId;
        this.term = term;
        this.owner = owner;
        this.outbox = outbox;
        // Leaders of the region in the same process must not take each other's responses.
        this.nextSeq = ((term & TERM_MASK) << COUNTER_BITS) + 1;
    }

    /** Whether the seq was given by this leader, as far as its term tells. */
    boolean mine(long seq) {
        return seq >>> COUNTER_BITS == nextSeq >>> COUNTER_BITS;
    }

    /** What the next request will be numbered. */
    long nextSeq() {
        return nextSeq;
    }

    void create(
            VoterProgress to,
            VoterConfig config,
            Origin origin,
            boolean learner,
            Clock.Reading now) {
        Sent sent = Sent.plain(nextSeq++, Sent.Kind.CREATE, now);
        CreateRequest body =
                CreateRequest.newBuilder()
                        .setConfig(config)
                        .setOrigin(origin)
                        .setLearner(learner)
                        .setTerm(learner ? term : 0)
                        .setOrder(learner ? sent.seq() : 0)
                        .build();
        send(to, sent, begin(sent).setCreate(body));
    }

    void open(VoterProgress to, long leaseMs, Clock.Reading now) {
        Sent sent = Sent.plain(nextSeq++, Sent.Kind.OPEN, now);
        OpenRequest body =
                OpenRequest.newBuilder().setTerm(term).setOwner(owner).setLeaseMs(leaseMs).build();
        send(to, sent, begin(sent).setOpen(body));
    }

    AppendRequest.Builder append() {
        return AppendRequest.newBuilder().setTerm(term).setOwner(owner);
    }

    void append(VoterProgress to, AppendRequest body, long bytes, Clock.Reading now) {
        Sent sent =
                new Sent(
                        nextSeq++,
                        Sent.Kind.APPEND,
                        now,
                        body.getPrevIndex(),
                        body.getPrevIndex() + body.getEntriesCount(),
                        bytes + EntryWindow.OVERHEAD_BYTES,
                        body.hasSnapshot() ? body.getSnapshot().getIndex() : -1);
        send(to, sent, begin(sent).setAppend(body));
    }

    /** Returns the seq. */
    long read(VoterProgress from, long first, long last, long bytesMax, Clock.Reading now) {
        Sent sent = Sent.plain(nextSeq++, Sent.Kind.READ, now);
        ReadRequest body =
                ReadRequest.newBuilder()
                        .setTerm(term)
                        .setFromIndex(first)
                        .setToIndex(last)
                        .setBytesMax(bytesMax)
                        .build();
        send(from, sent, begin(sent).setRead(body));
        return sent.seq();
    }

    void release(VoterProgress to, Clock.Reading now) {
        Sent sent = Sent.plain(nextSeq++, Sent.Kind.RELEASE, now);
        ReleaseRequest body = ReleaseRequest.newBuilder().setTerm(term).setOwner(owner).build();
        send(to, sent, begin(sent).setRelease(body));
    }

    void retire(VoterProgress to, long generation, Clock.Reading now) {
        Sent sent = Sent.plain(nextSeq++, Sent.Kind.RETIRE, now);
        RetireRequest body =
                RetireRequest.newBuilder()
                        .setTerm(term)
                        .setOwner(owner)
                        .setGeneration(generation)
                        .setOrder(sent.seq())
                        .build();
        send(to, sent, begin(sent).setRetire(body));
    }

    private WalRequest.Builder begin(Sent sent) {
        return WalRequest.newBuilder().setSeq(sent.seq()).setRegionId(regionId);
    }

    private void send(VoterProgress to, Sent sent, WalRequest.Builder request) {
        to.sent(sent);
        outbox.send(to.walId, request.build());
    }
}
