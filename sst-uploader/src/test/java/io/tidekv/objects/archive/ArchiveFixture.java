package io.tidekv.objects.archive;

import io.tidekv.objects.store.MemoryObjectStore;
import io.tidekv.objects.store.ObjectStore;
import io.tidekv.proto.region.Bootstrap;
import io.tidekv.proto.region.Origin;
import io.tidekv.proto.region.Snapshot;
import io.tidekv.proto.wal.VoterMeta;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;

/** Archives made by hand: each part is a segment of its own. */
final class ArchiveFixture {
    static final long LOG =
            LogIds.of(Origin.newBuilder().setBootstrap(Bootstrap.getDefaultInstance()).build());
    static final long LENGTH = 4096;

    final MemoryObjectStore store = new MemoryObjectStore();

    static UUID node(int number) {
        return new UUID(number, number);
    }

    /** One part under way. */
    final class Part {
        private final UUID node;
        private final long segment;
        private final PartBuilder builder;

        private Part(int node, long segment) {
            this.node = node(node);
            this.segment = segment;
            builder = new PartBuilder(this.node, node, 77, segment, LENGTH);
        }

        Part at(long millis) {
            builder.time(millis);
            return this;
        }

        /** An entry whose data tell its region, index and term. */
        Part entry(long region, long index, long term) {
            return entry(region, index, term, false);
        }

        Part entry(long region, long index, long term, boolean moved) {
            builder.entry(
                    region, index, term, 2, moved, ByteBuffer.wrap(data(region, index, term)));
            return this;
        }

        Part snapshot(long region, long index, long term, boolean reset) {
            Snapshot snapshot = Snapshot.newBuilder().setIndex(index).setTerm(term).build();
            builder.meta(region, VoterMeta.newBuilder().setSnapshot(snapshot).build(), reset);
            return this;
        }

        Part committed(long region, long index, long term) {
            builder.committed(region, LOG, index, term);
            return this;
        }

        Part committed(long region, long log, long index, long term) {
            builder.committed(region, log, index, term);
            return this;
        }

        void store() {
            store.putIfAbsent(name(), builder.build(ArchivePart.SEGMENT_START, LENGTH));
        }

        String name() {
            return new ArchiveNames.Place(node, segment, ArchivePart.SEGMENT_START, LENGTH).name();
        }
    }

    Part part(int node, long segment) {
        return new Part(node, segment);
    }

    static byte[] data(long region, long index, long term) {
        return (region + ":" + index + ":" + term).getBytes(StandardCharsets.UTF_8);
    }

    RegionArchive region(long region) {
        return ArchiveReader.open(store, 0).region(region);
    }

    /** {@code index:term} of all entries, whose data are looked at. */
    static List<String> read(RegionArchive archive, long region, long from, long to) {
        List<String> found = new ArrayList<>();
        archive.read(
                from,
                to,
                entry -> {
                    long index = entry.entry().getIndex();
                    long term = entry.entry().getTerm();
                    String data = entry.entry().getData().toStringUtf8();
                    String right = new String(data(region, index, term), StandardCharsets.UTF_8);
                    if (!data.equals(right)) {
                        throw new AssertionError(index + " holds " + data);
                    }
                    found.add(index + ":" + term);
                });
        return found;
    }

    /** The same store, which tells of each ranged read. */
    ObjectStore watched(List<long[]> ranges) {
        return (ObjectStore)
                Proxy.newProxyInstance(
                        getClass().getClassLoader(),
                        new Class<?>[] {ObjectStore.class},
                        (proxy, method, args) -> {
                            if (method.getName().equals("getRange")) {
                                ranges.add(new long[] {(Long) args[1], (Integer) args[2]});
                            } else if (method.getName().startsWith("get")) {
                                throw new AssertionError("a whole object is read");
                            }
                            try {
                                return method.invoke(store, args);
                            } catch (InvocationTargetException e) {
                                throw e.getCause();
                            }
                        });
    }
}
