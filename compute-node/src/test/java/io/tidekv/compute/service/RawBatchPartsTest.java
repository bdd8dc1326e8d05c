package io.tidekv.compute.service;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.google.protobuf.ByteString;
import io.tidekv.common.error.KvError;
import io.tidekv.common.error.KvException;
import io.tidekv.common.time.ManualClock;
import io.tidekv.common.time.ThreadScheduler;
import io.tidekv.compute.engine.ApiMode;
import io.tidekv.proto.kvrpcpb.Context;
import io.tidekv.proto.kvrpcpb.KvPair;
import io.tidekv.proto.kvrpcpb.RawBatchDeleteRequest;
import io.tidekv.proto.kvrpcpb.RawBatchPutRequest;
import io.tidekv.proto.kvrpcpb.RawScanRequest;
import io.tidekv.proto.metapb.Peer;
import io.tidekv.proto.metapb.RegionEpoch;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Batches of raw writes that are larger than an entry of the log. */
class RawBatchPartsTest {
    private static final int ENTRY_BYTES = 64 << 10;
    private static final Context CONTEXT =
            Context.newBuilder()
                    .setRegionId(2)
                    .setRegionEpoch(RegionEpoch.newBuilder().setVersion(1))
                    .setPeer(Peer.newBuilder().setId(3).setStoreId(1))
                    .build();

    private final AtomicInteger entries = new AtomicInteger();
    private final ThreadScheduler timers = new ThreadScheduler("test-timers");
    private final KvCore core =
            new KvCore(
                    new MemoryRegions(
                            7,
                            1,
                            apply -> {
                                entries.incrementAndGet();
                                apply.run();
                            }),
                    () -> CompletableFuture.completedFuture(1L),
                    KvSettings.of(ApiMode.V1).withEntryBytes(ENTRY_BYTES),
                    new ManualClock(),
                    timers);

    @AfterEach
    void close() {
        core.close();
        timers.close();
    }

    @Test
    void areWrittenInSeveralEntries() {
        assertThat(core.raw().batchPut(batch(1_000, 1_000).build()).join().getError()).isEmpty();
        assertThat(entries.get()).isBetween(16, 40);
        assertThat(keys()).isEqualTo(1_000);
        RawBatchDeleteRequest.Builder all = RawBatchDeleteRequest.newBuilder().setContext(CONTEXT);
        for (int i = 0; i < 1_000; i++) {
            all.addKeys(key(i));
        }
        assertThat(core.raw().batchDelete(all.build()).join().getError()).isEmpty();
        assertThat(keys()).isZero();
    }

    @Test
    void smallOnesAreOneEntry() {
        core.raw().batchPut(batch(20, 1_000).build()).join();
        assertThat(entries.get()).isEqualTo(1);
    }

    @Test
    void areRefusedAsAWholeWhenAPairFitsInNoEntry() {
        RawBatchPutRequest request =
                batch(200, 1_000)
                        .addPairs(
                                KvPair.newBuilder()
                                        .setKey(key(500))
                                        .setValue(ByteString.copyFrom(new byte[ENTRY_BYTES])))
                        .build();
        CompletionException refusal =
                catchThrowableOfType(
                        CompletionException.class, () -> core.raw().batchPut(request).join());
        assertThat(refusal.getCause())
                .isInstanceOfSatisfying(
                        KvException.class,
                        e -> assertThat(e.error()).isInstanceOf(KvError.EntryTooLarge.class));
        assertThat(keys()).isZero();
    }

    private int keys() {
        return core.rawRanges()
                .scan(
                        RawScanRequest.newBuilder()
                                .setContext(CONTEXT)
                                .setLimit(10_000)
                                .setKeyOnly(true)
                                .build())
                .join()
                .getKvsCount();
    }

    private static RawBatchPutRequest.Builder batch(int count, int bytes) {
        ByteString value = ByteString.copyFrom(new byte[bytes]);
        RawBatchPutRequest.Builder request = RawBatchPutRequest.newBuilder().setContext(CONTEXT);
        for (int i = 0; i < count; i++) {
            request.addPairs(KvPair.newBuilder().setKey(key(i)).setValue(value));
        }
        return request;
    }

    private static ByteString key(int i) {
        return ByteString.copyFromUtf8("key-" + i);
    }
}
