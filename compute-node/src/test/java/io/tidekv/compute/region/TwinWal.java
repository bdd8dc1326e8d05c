package io.tidekv.compute.region;

import io.tidekv.common.Threads;
import io.tidekv.common.time.Clock;
import io.tidekv.objects.archive.ArchiveNames;
import io.tidekv.objects.archive.ArchivePart;
import io.tidekv.objects.archive.LogIds;
import io.tidekv.objects.archive.PartBuilder;
import io.tidekv.objects.store.ObjectStore;
import io.tidekv.proto.cluster.WalNode;
import io.tidekv.proto.region.Entry;
import io.tidekv.proto.region.EntryKind;
import io.tidekv.proto.region.Owner;
import io.tidekv.proto.wal.WalRequest;
import io.tidekv.proto.wal.WalResponse;
import io.tidekv.wal.client.MemoryTail;
import io.tidekv.wal.client.WalLink;
import io.tidekv.wal.core.MemoryVoterStorage;
import io.tidekv.wal.core.VoterNode;
import io.tidekv.wal.core.VoterRules;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/** WAL nodes in memory, on one thread of their own, with faults between them and the stores. */
final class TwinWal implements AutoCloseable {
    private final Clock clock;
    private final Map<Long, VoterNode> nodes = new TreeMap<>();
    private final Map<Long, MemoryVoterStorage> disks = new TreeMap<>();
    private final ExecutorService thread = Threads.pool("twin-wal", 1, 1_000_000);
    private final Set<Long> mute = ConcurrentHashMap.newKeySet();
    private final Set<Long> down = ConcurrentHashMap.newKeySet();
    private final Map<Long, List<MemoryTail>> tails = new TreeMap<>();
    private volatile boolean loseCreates;
    private volatile boolean loseLooks;
    private volatile boolean keepsAll;

    /** What each node has ever had of each region, when it is kept. */
    private final Map<Long, Map<Long, TreeMap<Long, Entry>>> kept = new TreeMap<>();

    private volatile long counted;
    private volatile Runnable fuse = () -> {};
    private volatile long watchedOwner;
    private volatile @Nullable EntryKind watched;
    private final AtomicInteger countdown = new AtomicInteger();
    private final List<TwinLink> links = new ArrayList<>();

    TwinWal(int count, Clock clock) {
        this.clock = clock;
        for (long id = 1; id <= count; id++) {
            MemoryVoterStorage disk = new MemoryVoterStorage();
            disks.put(id, disk);
            nodes.put(id, new VoterNode(disk, VoterRules.RIGHT, id * 1000, clock.read()));
        }
    }

    List<WalNode> list() {
        List<WalNode> list = new ArrayList<>();
        for (long id : nodes.keySet()) {
            list.add(WalNode.newBuilder().setWalId(id).setAddress("twin:" + id).build());
        }
        return list;
    }

    /** Loses everything that the incarnation and the nodes say to each other, silently. */
    void mute(Owner owner, boolean lost) {
        if (lost) {
            mute.add(owner.getIncarnation());
        } else {
            mute.remove(owner.getIncarnation());
        }
    }

    /** Runs {@code then}, once, instead of sending the message after the next {@code count}. */
    void afterMessages(Owner owner, int count, Runnable then) {
        counted = owner.getIncarnation();
        countdown.set(count);
        fuse = then;
    }

    /**
     * Runs {@code then}, once, instead of sending the {@code count}-th message after the first one
     * that has an entry of this kind, or instead of that one: 0.
     */
    void afterEntry(Owner owner, EntryKind kind, int count, Runnable then) {
        counted = 0;
        countdown.set(count);
        fuse = then;
        watchedOwner = owner.getIncarnation();
        watched = kind;
    }

    private void watch(Owner owner, List<WalRequest> requests) {
        if (watched != null && owner.getIncarnation() == watchedOwner) {
            for (WalRequest request : requests) {
                for (Entry entry : request.getAppend().getEntriesList()) {
                    if (entry.getKind() == watched) {
                        counted = owner.getIncarnation();
                    }
                }
            }
        }
    }

    private void count(Owner owner) {
        if (owner.getIncarnation() == counted && countdown.getAndDecrement() == 0) {
            fuse.run();
        }
    }

    /** Loses requests that would create voter state. */
    void loseCreates(boolean lost) {
        loseCreates = lost;
    }

    /** From now on the archive has entries, too, that nodes have been told to drop. */
    void keepAll() {
        keepsAll = true;
    }

    private void keep(long walId) {
        MemoryVoterStorage disk = disks.get(walId);
        disk.syncTo(disk.position());
        Map<Long, TreeMap<Long, Entry>> all = kept.computeIfAbsent(walId, id -> new TreeMap<>());
        for (long region : disk.durableRegions()) {
            TreeMap<Long, Entry> entries = all.computeIfAbsent(region, id -> new TreeMap<>());
            disk.durableEntries(region).forEach(e -> entries.put(e.getIndex(), e));
        }
    }

    private Collection<Entry> entriesOf(long walId, long region) {
        return keepsAll
                ? kept.get(walId).get(region).values()
                : disks.get(walId).durableEntries(region);
    }

    /** Loses requests that look at what a region's log begins with. */
    void loseLooks(boolean lost) {
        loseLooks = lost;
    }

    /** The node would like the region to be published. */
    void want(long walId, long regionId) {
        thread.execute(() -> nodes.get(walId).wantPublished(List.of(regionId)));
    }

    /** Stops a node: its connections break. */
    void stop(long walId) {
        down.add(walId);
        synchronized (links) {
            for (TwinLink link : links) {
                if (link.walId == walId) {
                    thread.execute(() -> link.listener.onDisconnected(walId, "stopped"));
                    thread.execute(() -> push(walId));
                }
            }
        }
    }

    void restart(long walId) {
        down.remove(walId);
        synchronized (links) {
            for (TwinLink link : links) {
                if (link.walId == walId && !link.closed) {
                    thread.execute(() -> link.listener.onConnected(walId));
                }
            }
        }
    }

    /** Entries that a node holds of a region. */
    long entries(long walId, long regionId) {
        var view = nodes.get(walId).view(regionId);
        return view == null ? -1 : disks.get(walId).durableEntries(regionId).size();
    }

    /**
     * Copies what the nodes have, as their archivers would, into segment {@code number}, as if all
     * that is new had been written at {@code wallMillis}.
     */
    void archive(ObjectStore cluster, long clusterId, long number, long wallMillis)
            throws Exception {
        thread.submit(
                        () ->
                                nodes.keySet()
                                        .forEach(
                                                id ->
                                                        archive(
                                                                id,
                                                                cluster,
                                                                clusterId,
                                                                number,
                                                                wallMillis)))
                .get(60, TimeUnit.SECONDS);
    }

    private void archive(
            long walId, ObjectStore cluster, long clusterId, long number, long wallMillis) {
        UUID node = new UUID(walId, walId);
        long length = 1 << 30;
        PartBuilder part = new PartBuilder(node, walId, clusterId, number, length);
        part.time(wallMillis);
        MemoryVoterStorage disk = disks.get(walId);
        for (long region : disk.durableRegions()) {
            part.meta(region, disk.durableMeta(region), true);
            for (Entry entry : entriesOf(walId, region)) {
                part.entry(
                        region,
                        entry.getIndex(),
                        entry.getTerm(),
                        entry.getKindValue(),
                        false,
                        entry.getData().asReadOnlyByteBuffer());
            }
        }
        nodes.get(walId)
                .committed()
                .forEach(
                        known ->
                                part.committed(
                                        known.regionId(),
                                        LogIds.of(known.origin()),
                                        known.index(),
                                        known.term()));
        long from = ArchivePart.SEGMENT_START;
        cluster.putIfAbsent(
                new ArchiveNames.Place(node, number, from, length).name(),
                part.build(from, length));
    }

    WalLink.Factory factory(Owner owner) {
        return (walId, address, listener) -> {
            TwinLink link = new TwinLink(owner, walId, listener);
            synchronized (links) {
                links.add(link);
            }
            thread.execute(
                    () -> {
                        if (!down.contains(walId)) {
                            listener.onConnected(walId);
                        }
                    });
            return link;
        };
    }

    /** Hands followers what is new. On the thread. */
    private void push(long walId) {
        List<MemoryTail> here = tails.computeIfAbsent(walId, id -> new ArrayList<>());
        if (down.contains(walId)) {
            here.forEach(tail -> tail.end("stopped"));
            here.clear();
        }
        here.removeIf(tail -> !tail.push(nodes.get(walId).view(tail.regionId()), disks.get(walId)));
    }

    private final class TwinLink implements WalLink {
        private final Owner owner;
        private final long walId;
        private final Listener listener;
        private volatile boolean closed;

        TwinLink(Owner owner, long walId, Listener listener) {
            this.owner = owner;
            this.walId = walId;
            this.listener = listener;
        }

        @Override
        public long walId() {
            return walId;
        }

        @Override
        public boolean send(List<WalRequest> requests) {
            if (closed || down.contains(walId)) {
                return false;
            }
            watch(owner, requests);
            count(owner);
            if (!mute.contains(owner.getIncarnation())) {
                thread.execute(() -> handle(requests));
            }
            return true;
        }

        @Override
        public Following follow(long regionId, long fromIndex, Follower follower) {
            MemoryTail tail =
                    new MemoryTail(
                            regionId, fromIndex, follower, () -> thread.execute(() -> push(walId)));
            thread.execute(
                    () -> {
                        tails.computeIfAbsent(walId, id -> new ArrayList<>()).add(tail);
                        push(walId);
                    });
            return tail;
        }

        private void handle(List<WalRequest> requests) {
            if (down.contains(walId)) {
                return;
            }
            List<WalResponse> responses = new ArrayList<>();
            for (WalRequest request : requests) {
                boolean looks = request.hasRead() && request.getRead().getToIndex() == 1;
                if ((loseCreates && request.hasCreate()) || (loseLooks && looks)) {
                    continue;
                }
                responses.add(nodes.get(walId).handle(owner, request, clock.read()));
                if (keepsAll) {
                    keep(walId);
                }
            }
            MemoryVoterStorage disk = disks.get(walId);
            disk.syncTo(disk.position());
            push(walId);
            if (!closed && !mute.contains(owner.getIncarnation())) {
                listener.onResponses(walId, responses);
            }
        }

        @Override
        public void close() {
            closed = true;
        }
    }

    @Override
    public void close() {
        thread.shutdownNow();
    }
}
