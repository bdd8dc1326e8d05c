package io.tidekv.compute.service;

import static io.tidekv.compute.service.TxnClient.key;
import static io.tidekv.compute.service.TxnClient.put;
import static org.assertj.core.api.Assertions.assertThat;

import io.tidekv.common.error.KvError;
import io.tidekv.common.error.KvException;
import io.tidekv.compute.engine.ApiMode;
import io.tidekv.compute.engine.Cf;
import io.tidekv.compute.engine.WriteBatchBuilder;
import io.tidekv.compute.mvcc.TxnKey;
import io.tidekv.proto.kvrpcpb.PrewriteResponse;
import io.tidekv.proto.kvrpcpb.RawCASRequest;
import io.tidekv.proto.kvrpcpb.RawCASResponse;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Commands that wait for each other and for the log. */
class RunnerTest {
    /** Batches that are durable only when the test says so. */
    private final ConcurrentLinkedQueue<Runnable> log = new ConcurrentLinkedQueue<>();

    private final TxnClient txn =
            new TxnClient(new MemoryRegions(7, 1, log::add), KvSettings.of(ApiMode.V1));

    @AfterEach
    void close() {
        txn.close();
    }

    @Test
    void anAnswerComesOnlyWhenTheBatchIsApplied() {
        CompletableFuture<PrewriteResponse> answer =
                txn.core.txn().prewrite(txn.prewriteOf(10, put("a", "v")).build());
        assertThat(answer).isNotDone();
        assertThat(log).hasSize(1);
        log.remove().run();
        assertThat(answer.join().getErrorsList()).isEmpty();
    }

    @Test
    void commandsOnOneKeyFollowEachOther() {
        CompletableFuture<PrewriteResponse> first =
                txn.core.txn().prewrite(txn.prewriteOf(10, put("a", "1")).build());
        CompletableFuture<PrewriteResponse> second =
                txn.core.txn().prewrite(txn.prewriteOf(20, put("a", "2")).build());
        CompletableFuture<PrewriteResponse> elsewhere =
                txn.core.txn().prewrite(txn.prewriteOf(30, put("b", "2")).build());
        assertThat(log).hasSize(2);
        log.forEach(Runnable::run);
        assertThat(first.join().getErrorsList()).isEmpty();
        assertThat(elsewhere.join().getErrorsList()).isEmpty();
        assertThat(second.orTimeout(5, TimeUnit.SECONDS).join().getErrors(0).hasLocked()).isTrue();
    }

    @Test
    void oneOfManyCompareAndSwapsWins() {
        List<CompletableFuture<RawCASResponse>> answers = new ArrayList<>();
        for (int i = 0; i < 20; i++) {
            answers.add(
                    txn.core
                            .raw()
                            .compareAndSwap(
                                    RawCASRequest.newBuilder()
                                            .setContext(txn.context("a"))
                                            .setKey(key("a"))
                                            .setValue(key("v" + i))
                                            .setPreviousNotExist(true)
                                            .build()));
        }
        CompletableFuture<Void> all =
                CompletableFuture.allOf(answers.toArray(CompletableFuture<?>[]::new));
        Awaitility.await()
                .until(
                        () -> {
                            Runnable next = log.poll();
                            if (next != null) {
                                next.run();
                            }
                            return all.isDone();
                        });
        assertThat(answers.stream().filter(a -> a.join().getSucceed())).hasSize(1);
    }

    @Test
    void aCommandThatWaitsTooLongIsAnsweredAndForgotten() {
        CompletableFuture<PrewriteResponse> first =
                txn.core.txn().prewrite(txn.prewriteOf(10, put("a", "1")).build());
        var request = txn.prewriteOf(20, put("a", "2"));
        request.getContextBuilder().setMaxExecutionDurationMs(20);
        CompletableFuture<PrewriteResponse> second = txn.core.txn().prewrite(request.build());
        Awaitility.await().until(second::isDone);
        assertThat(error(second)).isInstanceOf(KvError.DeadlineExceeded.class);
        log.forEach(Runnable::run);
        first.join();
        assertThat(txn.locks().get(0).getLockVersion()).isEqualTo(10);
    }

    @Test
    void workThatComesTooLateIsNotBegun() {
        var request = txn.prewriteOf(10, put("a", "1"));
        request.getContextBuilder().setMaxExecutionDurationMs(50);
        txn.core.txn().prewrite(txn.prewriteOf(5, put("a", "0")).build());
        CompletableFuture<PrewriteResponse> late = txn.core.txn().prewrite(request.build());
        txn.clock.advanceMillis(60);
        log.forEach(Runnable::run);
        Awaitility.await().until(late::isDone);
        assertThat(error(late)).isInstanceOf(KvError.DeadlineExceeded.class);
    }

    @Test
    void damagedRecordsMakeTheRegionUnavailable() {
        txn.regions
                .engine()
                .apply(
                        new WriteBatchBuilder()
                                .put(Cf.LOCK, TxnKey.of(key("a")).encoded(), new byte[] {'?'})
                                .build());
        KvError error = error(txn.core.txn().prewrite(txn.prewriteOf(10, put("a", "1")).build()));
        assertThat(error).isInstanceOf(KvError.RegionUnavailable.class);
        assertThat(error.message()).contains("region 2");
    }

    private static KvError error(CompletableFuture<?> future) {
        try {
            future.join();
            throw new AssertionError("no error");
        } catch (CompletionException e) {
            return ((KvException) Futures.unwrap(e)).error();
        }
    }
}
