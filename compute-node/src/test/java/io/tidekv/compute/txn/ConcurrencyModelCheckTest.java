package io.tidekv.compute.txn;

import com.google.protobuf.ByteString;
import io.tidekv.compute.mvcc.LockKind;
import io.tidekv.compute.mvcc.LockRecord;
import io.tidekv.compute.mvcc.ReadPolicy;
import io.tidekv.compute.mvcc.TxnException;
import io.tidekv.compute.mvcc.TxnKey;
import java.util.List;
import java.util.Objects;
import org.jetbrains.lincheck.datastructures.IntGen;
import org.jetbrains.lincheck.datastructures.ModelCheckingOptions;
import org.jetbrains.lincheck.datastructures.Operation;
import org.jetbrains.lincheck.datastructures.Param;
import org.junit.jupiter.api.Test;

/**
 * The highest read timestamp and the memory locks under a model checker: whatever readers and a
 * writer are told must also come of calling one after the other. {@code -Dlincheck.iterations} and
 * {@code -Dlincheck.invocations} set how much is tried.
 */
class ConcurrencyModelCheckTest {
    private static final int ITERATIONS = Integer.getInteger("lincheck.iterations", 6);
    private static final int INVOCATIONS = Integer.getInteger("lincheck.invocations", 40);

    /** How busy the machine is decides nothing. */
    private static final long PATIENCE_MS = 600_000;

    private static final ByteString KEY = ByteString.copyFromUtf8("k");
    private static final long START_TS = 3;

    /** Readers, and one writer that chooses its commit timestamp above them. */
    @Param(name = "ts", gen = IntGen.class, conf = "4:5")
    public static class Table {
        private final Concurrency concurrency = new Concurrency();
        private final MemoryLocks locks = new MemoryLocks();

        /** The commit timestamp that the writer chooses. */
        @Operation(nonParallelGroup = "writer", runOnce = true)
        public long publish() {
            LockRecord lock =
                    concurrency.publish(locks, TxnKey.of(KEY), false, maxTs -> lock(maxTs));
            return Objects.requireNonNull(lock).minCommitTs();
        }

        /** Whether a read passes: then no commit at or below it is chosen later. */
        @Operation
        public boolean read(@Param(name = "ts") int ts) {
            try {
                concurrency.beginRead(List.of(KEY), ReadPolicy.snapshot(ts));
                return true;
            } catch (TxnException e) {
                return false;
            }
        }

        private static LockRecord lock(long maxTs) {
            return LockRecord.builder(LockKind.PUT, KEY, START_TS)
                    .asyncCommit(List.of())
                    .minCommitTs(Math.max(maxTs, START_TS) + 1)
                    .build();
        }
    }

    @Test
    void readersAndAWriterAreLinearizable() {
        new ModelCheckingOptions()
                .iterations(ITERATIONS)
                .invocationsPerIteration(INVOCATIONS)
                .threads(2)
                .actorsPerThread(Integer.getInteger("lincheck.actors", 1))
                .actorsBefore(0)
                .actorsAfter(0)
                .invocationTimeout$lincheck(PATIENCE_MS)
                .check(Table.class);
    }
}
