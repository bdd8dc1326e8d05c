package io.tidekv.wal.storage;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidekv.common.Randomness;
import io.tidekv.wal.storage.MemoryWalFiles.Crash;
import java.io.IOException;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Power is lost at every call to the file system in turn. */
class StorageCrashTest {
    private static final class PowerLoss extends RuntimeException {
        private static final long serialVersionUID = 1L;
    }

    /** Loses power before call number {@code at}, counted from 1. */
    private static void loseAt(MemoryWalFiles files, int at) {
        int[] calls = {0};
        files.setFault(
                (call, name) -> {
                    if (++calls[0] == at) {
                        throw new PowerLoss();
                    }
                });
    }

    private static SegmentStore open(MemoryWalFiles files) throws IOException {
        return SegmentStore.open(files, StoreScript.NODE, StoreScript.OPTIONS);
    }

    /** Runs until power is lost; returns the steps done, or -1 when all of them were. */
    private static int runUntilLoss(StoreScript script, MemoryWalFiles files, int at)
            throws IOException {
        int[] done = {0};
        loseAt(files, at);
        try {
            script.run(open(files), done);
            return -1;
        } catch (PowerLoss e) {
            return done[0];
        }
    }

    @ParameterizedTest
    @EnumSource(Crash.class)
    void nothingSyncedIsLostAndNothingHalfDoneIsFound(Crash crash) throws IOException {
        StoreScript script = new StoreScript(20, 200);
        int rounds = crash == Crash.TORN || crash == Crash.RANDOM ? 3 : 1;
        int done = 0;
        for (int at = 1; done >= 0; at++) {
            MemoryWalFiles files = new MemoryWalFiles();
            done = runUntilLoss(script, files, at);
            for (int round = 0; done >= 0 && round < rounds; round++) {
                String where = crash + " at call " + at + ", round " + round;
                Randomness randomness = Randomness.seeded(at * 31L + round);
                check(script, files.crashed(crash, randomness), done, where);
            }
        }
    }

    private static void check(StoreScript script, MemoryWalFiles files, int done, String where)
            throws IOException {
        Map<Long, StoreScript.Region> found;
        try (SegmentStore store = open(files)) {
            found = StoreScript.read(store);
        } catch (IOException e) {
            throw new AssertionError(where, e);
        }
        int state = script.states().lastIndexOf(found);
        assertThat(state).as(where).isGreaterThanOrEqualTo(script.durableAfter(done));
        try (SegmentStore again = open(files.crashed(Crash.ALL_LOST, Randomness.seeded(1)))) {
            assertThat(StoreScript.read(again)).as(where + ", recovered twice").isEqualTo(found);
        }
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3})
    void recoveryMayItselfBeInterrupted(long seed) throws IOException {
        StoreScript script = new StoreScript(seed, 60);
        int done = 0;
        for (int at = 5; done >= 0; at += 7) {
            MemoryWalFiles first = new MemoryWalFiles();
            done = runUntilLoss(script, first, at);
            if (done < 0) {
                return;
            }
            MemoryWalFiles torn = first.crashed(Crash.TORN, Randomness.seeded(at));
            boolean recovered = false;
            for (int call = 1; !recovered; call++) {
                MemoryWalFiles files = torn.crashed(Crash.ALL_KEPT, Randomness.seeded(1));
                loseAt(files, call);
                try (SegmentStore store = open(files)) {
                    recovered = true;
                } catch (PowerLoss e) {
                    MemoryWalFiles second = files.crashed(Crash.TORN, Randomness.seeded(call));
                    check(script, second, done, "at " + at + ", then at " + call);
                }
            }
        }
    }

    @ParameterizedTest
    @ValueSource(longs = {11, 12, 13, 14})
    void crashesInARow(long seed) throws IOException {
        StoreScript script = new StoreScript(seed, 400);
        int[] done = {0};
        MemoryWalFiles files = new MemoryWalFiles();
        script.run(open(files), done);
        assertThat(files.list()).as("segments come and go").doesNotContain("0000000000000001.wal");
        Map<Long, StoreScript.Region> found = StoreScript.read(open(files));
        assertThat(found).isEqualTo(script.states().get(script.states().size() - 1));
        for (int i = 0; i < 20; i++) {
            files = files.crashed(Crash.TORN, Randomness.seeded(i));
            try (SegmentStore store = open(files)) {
                assertThat(StoreScript.read(store)).isEqualTo(found);
                store.maintain(1 << 20);
                store.putMeta(1, found.get(1L).meta());
                store.commit();
            }
        }
    }

    @Test
    void theScriptTakesWhatItShould() throws IOException {
        MemoryWalFiles files = new MemoryWalFiles();
        int[] done = {0};
        SegmentStore store = open(files);
        new StoreScript(20, 200).run(store, done);
        assertThat(done[0]).isGreaterThanOrEqualTo(200);
        assertThat(store.stats().segments()).isGreaterThanOrEqualTo(2);
        assertThat(files.list()).as("one was deleted").doesNotContain("0000000000000001.wal");
    }
}
