package io.tidekv.compute.mvcc;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import io.tidekv.common.codec.CodecException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Bytes recorded from a real TiKV, and what must not happen with others. */
class RecordCodecTest {
    @Test
    void aLockWithAShortValue() {
        LockRecord lock = put("bytes.put-short:a", 10).shortValue(text("val")).build();
        assertLock(lock, "P\"bytes.put-short:a\n\u00b8\u0017v\u0003val");
    }

    @Test
    void aLockWhoseValueIsStoredApart() {
        assertLock(put("bytes.put-long:a", 10).build(), "P bytes.put-long:a\n\u00b8\u0017");
    }

    @Test
    void aLockOfAPessimisticTransactionWithASource() {
        LockRecord lock =
                put("bytes.pessimistic-prewritten:a", 10)
                        .shortValue(text("v"))
                        .forUpdateTs(15)
                        .txnSource(5)
                        .build();
        assertLock(
                lock,
                "P<bytes.pessimistic-prewritten:a\n\u00b8\u0017v\u0001v"
                        + "f\0\0\0\0\0\0\0\u000fs\u0005");
    }

    @Test
    void aLockThatKnowsTheLastChange() {
        LockRecord lock =
                LockRecord.builder(LockKind.LOCK, text("bytes.last-change:a"), 40)
                        .ttlMs(3000)
                        .lastChange(new LastChange(20, 2))
                        .build();
        assertLock(lock, "L&bytes.last-change:a(\u00b8\u0017l\0\0\0\0\0\0\0\u0014\u0002");
    }

    @Test
    void aFlushedLock() {
        LockRecord lock =
                put("bytes.flush-generation:a", 10)
                        .shortValue(text("v"))
                        .txnSize(-1)
                        .minCommitTs(11)
                        .generation(3)
                        .build();
        assertLock(
                lock,
                "P0bytes.flush-generation:a\n\u00b8\u0017v\u0001v"
                        + "t\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff"
                        + "c\0\0\0\0\0\0\0\u000bg\0\0\0\0\0\0\0\u0003");
    }

    @Test
    void aLockWithEverything() {
        LockRecord lock =
                put("p", 1L << 60)
                        .minCommitTs(7)
                        .asyncCommit(List.of(text("b"), text("")))
                        .rollbackTs(List.of(8L, -1L))
                        .lockedWithConflict(true)
                        .build();
        assertThat(LockCodec.decode(LockCodec.encode(lock))).isEqualTo(lock);
    }

    @Test
    void commitRecords() {
        assertWrite(WriteRecord.of(WriteKind.PUT, 10, text("val")), "P\nv\u0003val");
        assertWrite(WriteRecord.of(WriteKind.PUT, 10, null), "P\n");
        assertWrite(
                WriteRecord.of(WriteKind.PUT, 10, text("v")).withTxnSource(5),
                "P\nv\u0001vS\u0005");
        assertWrite(WriteRecord.rollback(40, true), "R(v\u0001p");
        assertWrite(WriteRecord.rollback(40, false), "R(");
        assertWrite(
                WriteRecord.of(WriteKind.LOCK, 30, null).withLastChange(new LastChange(20, 1)),
                "L\u001el\0\0\0\0\0\0\0\u0014\u0001");
        assertWrite(
                WriteRecord.of(WriteKind.PUT, 10, text("v")).withOverlappedRollback(0L),
                "P\nv\u0001vRF\0\0\0\0\0\0\0\0");
    }

    @Test
    void aFencedRecordCountsOnlyBelowItsFence() {
        WriteRecord fenced =
                WriteRecord.of(WriteKind.PUT, 10, text("v")).withOverlappedRollback(50L);
        assertThat(fenced.isLatestAt(49)).isTrue();
        assertThat(fenced.isLatestAt(50)).isFalse();
        assertThat(fenced.withOverlappedRollback(0L).isLatestAt(-1L)).isTrue();
    }

    @Test
    void randomBytesGiveACodecExceptionOrARecord() {
        long seed = 4711;
        Random random = new Random(seed);
        byte[][] good = {
            LockCodec.encode(put("prim", 77).shortValue(text("v")).minCommitTs(5).build()),
            WriteCodec.encode(WriteRecord.of(WriteKind.PUT, 9, text("val")).withTxnSource(3)),
        };
        for (int i = 0; i < 10_000; i++) {
            byte[] bytes = good[random.nextInt(good.length)].clone();
            for (int flips = random.nextInt(4); flips > 0; flips--) {
                bytes[random.nextInt(bytes.length)] = (byte) random.nextInt(256);
            }
            byte[] cut = Arrays.copyOf(bytes, random.nextInt(bytes.length + 1));
            for (byte[] input : new byte[][] {bytes, cut}) {
                attempt(() -> LockCodec.decode(input));
                attempt(() -> WriteCodec.decode(input));
                attempt(() -> TxnKey.ofVersioned(input));
            }
        }
    }

    private static void attempt(Runnable decode) {
        try {
            decode.run();
        } catch (CodecException e) {
            assertThat(e.getMessage()).isNotEmpty();
        }
    }

    private static LockRecord.Builder put(String primary, long startTs) {
        return LockRecord.builder(LockKind.PUT, text(primary), startTs).ttlMs(3000);
    }

    private static void assertLock(LockRecord lock, String latin1) {
        byte[] bytes = latin1.getBytes(StandardCharsets.ISO_8859_1);
        assertThat(LockCodec.encode(lock)).isEqualTo(bytes);
        assertThat(LockCodec.decode(bytes)).isEqualTo(lock);
    }

    private static void assertWrite(WriteRecord write, String latin1) {
        byte[] bytes = latin1.getBytes(StandardCharsets.ISO_8859_1);
        assertThat(WriteCodec.encode(write)).isEqualTo(bytes);
        assertThat(WriteCodec.decode(bytes)).isEqualTo(write);
    }

    private static ByteString text(String text) {
        return ByteString.copyFromUtf8(text);
    }
}
