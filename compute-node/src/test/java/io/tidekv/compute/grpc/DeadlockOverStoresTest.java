package io.tidekv.compute.grpc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.google.protobuf.ByteString;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.StreamObserver;
import io.tidekv.compute.engine.ApiMode;
import io.tidekv.compute.pd.Place;
import io.tidekv.compute.service.KvSettings;
import io.tidekv.compute.service.MemoryRegions;
import io.tidekv.proto.deadlock.WaitForEntry;
import io.tidekv.proto.kvrpcpb.Deadlock;
import io.tidekv.proto.kvrpcpb.GetLockWaitInfoRequest;
import io.tidekv.proto.kvrpcpb.Mutation;
import io.tidekv.proto.kvrpcpb.Op;
import io.tidekv.proto.kvrpcpb.PessimisticLockRequest;
import io.tidekv.proto.kvrpcpb.PessimisticLockResponse;
import io.tidekv.proto.tikvpb.TikvGrpc;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Waits of one circle at several stores, over real connections. */
class DeadlockOverStoresTest {
    private static final Duration PATIENCE = Duration.ofSeconds(40);
    private static final KvSettings SETTINGS =
            KvSettings.of(ApiMode.V1).withLockWait(Duration.ofSeconds(60));

    /** What PD says. */
    private final AtomicReference<KvServer> detector = new AtomicReference<>();

    private final KvServer first = store(1);
    private final KvServer second = store(2);
    private final KvServer third = store(3);
    private final KvServer fourth = store(4);

    private KvServer store(long id) {
        return new KvServer(
                SETTINGS,
                new MemoryRegions(KvServer.CLUSTER, id),
                () -> {
                    KvServer at = detector.get();
                    return CompletableFuture.completedFuture(
                            new Place(at.regions.storeId(), at.address()));
                });
    }

    @AfterEach
    void close() {
        List.of(first, second, third, fourth).forEach(KvServer::close);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 3})
    void oneOfTheCircleIsToldWhereverTheDetectorIs(int store) {
        detector.set(store == 1 ? first : third);
        assertThat(lock(first, 10, "a").join().getErrorsCount()).isZero();
        assertThat(lock(second, 20, "b").join().getErrorsCount()).isZero();
        CompletableFuture<PessimisticLockResponse> left = lock(second, 10, "b");
        CompletableFuture<PessimisticLockResponse> right = lock(first, 20, "a");
        Deadlock told = deadlock(left, right);
        assertThat(told.getWaitChainList())
                .extracting(WaitForEntry::getTxn)
                .containsExactlyInAnyOrder(10L, 20L);
        assertThat(told.getWaitChain(1).getWaitForTxn()).isEqualTo(told.getLockTs());
        assertThat(told.getWaitChain(1).getKey()).isEqualTo(told.getLockKey());
        assertThat(told.getDeadlockKeyHash()).isEqualTo(told.getWaitChain(0).getKeyHash());
    }

    @Test
    void aCircleOfThreeStoresIsFound() {
        detector.set(second);
        lock(first, 10, "a").join();
        lock(second, 20, "b").join();
        lock(third, 30, "c").join();
        CompletableFuture<PessimisticLockResponse> one = lock(second, 10, "b");
        CompletableFuture<PessimisticLockResponse> two = lock(third, 20, "c");
        CompletableFuture<PessimisticLockResponse> three = lock(first, 30, "a");
        assertThat(deadlock(one, two, three).getWaitChainCount()).isEqualTo(3);
    }

    @Test
    void waitsAreToldAgainWhenTheDetectorIsLost() {
        detector.set(third);
        lock(first, 10, "a").join();
        lock(second, 20, "b").join();
        CompletableFuture<PessimisticLockResponse> left = lock(second, 10, "b");
        await().atMost(PATIENCE).until(() -> isWaiting(second, 10));
        detector.set(fourth);
        third.close();
        CompletableFuture<PessimisticLockResponse> right = lock(first, 20, "a");
        assertThat(deadlock(left, right).getWaitChainCount()).isEqualTo(2);
    }

    @SafeVarargs
    private static Deadlock deadlock(CompletableFuture<PessimisticLockResponse>... waits) {
        PessimisticLockResponse told =
                (PessimisticLockResponse)
                        CompletableFuture.anyOf(waits).orTimeout(40, TimeUnit.SECONDS).join();
        assertThat(told.getErrorsCount()).isEqualTo(1);
        assertThat(told.getErrors(0).hasDeadlock()).as("%s", told).isTrue();
        return told.getErrors(0).getDeadlock();
    }

    private static boolean isWaiting(KvServer at, long txn) {
        return TikvGrpc.newBlockingStub(at.channel)
                .withDeadlineAfter(20, TimeUnit.SECONDS)
                .getLockWaitInfo(GetLockWaitInfoRequest.getDefaultInstance())
                .getEntriesList()
                .stream()
                .anyMatch(entry -> entry.getTxn() == txn);
    }

    private static CompletableFuture<PessimisticLockResponse> lock(
            KvServer at, long txn, String key) {
        ByteString name = ByteString.copyFromUtf8(key);
        CompletableFuture<PessimisticLockResponse> answer = new CompletableFuture<>();
        TikvGrpc.newStub(at.channel)
                .kvPessimisticLock(
                        PessimisticLockRequest.newBuilder()
                                .setContext(Requests.context(at))
                                .addMutations(
                                        Mutation.newBuilder()
                                                .setOp(Op.PessimisticLock)
                                                .setKey(name))
                                .setPrimaryLock(name)
                                .setStartVersion(txn)
                                .setForUpdateTs(txn)
                                .setLockTtl(100_000)
                                .build(),
                        new StreamObserver<>() {
                            @Override
                            public void onNext(PessimisticLockResponse response) {
                                answer.complete(response);
                            }

                            @Override
                            public void onError(Throwable error) {
                                answer.completeExceptionally((StatusRuntimeException) error);
                            }

                            @Override
                            public void onCompleted() {}
                        });
        return answer;
    }
}
