package io.tidekv.wal.archive;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidekv.objects.archive.ArchiveException;
import io.tidekv.objects.archive.ArchiveNames;
import io.tidekv.objects.archive.ArchivePruner;
import io.tidekv.objects.archive.RegionArchive;
import io.tidekv.objects.store.ObjectStore;
import io.tidekv.proto.region.Entry;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.stream.LongStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Three voters under leaders that come and go, with entries that never get a majority, resets,
 * crashes of nodes, shippers that forget, and a store that fails: what is read from the archive is
 * what was committed, all of it and nothing else. {@code -Dtidekv.archive.seeds=N} runs more;
 * {@code -Dtidekv.archive.seed=N} runs one.
 */
class ArchiveRandomTest {
    static LongStream seeds() {
        Long one = Long.getLong("tidekv.archive.seed");
        return one == null
                ? LongStream.rangeClosed(1, Long.getLong("tidekv.archive.seeds", 30))
                : LongStream.of(one);
    }

    private static List<Entry> read(RegionArchive archive, long from, long to) {
        List<Entry> found = new ArrayList<>();
        archive.read(from, to, each -> found.add(each.entry()));
        return found;
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void whatIsReadIsWhatWasCommitted(long seed) throws Exception {
        String where = "-Dtidekv.archive.seed=" + seed;
        LeaderScript script = new LeaderScript(seed);
        try {
            script.run(150);
        } catch (RuntimeException e) {
            throw new AssertionError(where, e);
        }
        List<Entry> committed = script.committed();
        RegionArchive archive = ShippingRig.reader(script.store).region(LeaderScript.REGION);
        assertThat(archive.lastIndex()).as(where).isEqualTo(committed.size());
        assertThat(read(archive, 1, committed.size())).as(where).isEqualTo(committed);

        // Without what one node has shipped: the same, or a hole, and never anything else.
        ObjectStore cluster = ArchiveNames.ofCluster(script.store, ShippingRig.CLUSTER);
        UUID lost = script.rigs.get(0).identity.uuid();
        ArchivePruner.prune(cluster, lost, Long.MAX_VALUE, false);
        RegionArchive rest = ShippingRig.reader(script.store).region(LeaderScript.REGION);
        assertThat(rest.lastIndex()).as(where).isLessThanOrEqualTo(committed.size());
        for (long index = 1; index <= rest.lastIndex(); index++) {
            try {
                assertThat(read(rest, index, index))
                        .as(where)
                        .containsExactly(committed.get((int) index - 1));
            } catch (ArchiveException e) {
                assertThat(e.kind()).as(where).isEqualTo(ArchiveException.Kind.HOLE);
            }
        }
    }
}
