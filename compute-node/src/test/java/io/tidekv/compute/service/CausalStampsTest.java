package io.tidekv.compute.service;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidekv.common.error.KvError;
import io.tidekv.common.error.KvException;
import io.tidekv.common.time.ManualClock;
import io.tidekv.compute.pd.TimestampSource;
import java.util.ArrayDeque;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.junit.jupiter.api.Test;

class CausalStampsTest {
    private final ManualClock clock = new ManualClock();
    private final ArrayDeque<CompletableFuture<TimestampSource.Range>> asked = new ArrayDeque<>();
    private final CausalStamps stamps =
            new CausalStamps(
                    new TimestampSource() {
                        @Override
                        public CompletableFuture<Long> next() {
                            throw new AssertionError("one at a time");
                        }

                        @Override
                        public CompletableFuture<Range> range(int most) {
                            asked.add(new CompletableFuture<>());
                            return asked.getLast();
                        }
                    },
                    clock);

    @Test
    void oneFetchServesManyWrites() {
        CompletableFuture<Long> first = stamps.next(1, 1);
        answer(100, 110);
        assertThat(first).isCompletedWithValue(100L);
        for (long ts = 101; ts <= 110; ts++) {
            assertThat(stamps.next(1, 1)).isCompletedWithValue(ts);
        }
        CompletableFuture<Long> more = stamps.next(1, 1);
        assertThat(more).isNotDone();
        answer(200, 210);
        assertThat(more).isCompletedWithValue(200L);
    }

    @Test
    void aNewTermNeedsAFetchThatBeganInIt() {
        stamps.next(1, 1);
        answer(100, 110);
        // Asked for before the region came back: another owner may have used greater ones since.
        for (int i = 0; i < 10; i++) {
            stamps.next(1, 1);
        }
        CompletableFuture<Long> sameTerm = stamps.next(1, 1);
        CompletableFuture<Long> newTerm = stamps.next(1, 3);
        assertThat(asked).hasSize(1);
        answer(200, 210);
        assertThat(newTerm).isNotDone();
        answer(300, 310);
        assertThat(newTerm).isDone();
        assertThat(newTerm.join()).isBetween(300L, 301L);
        assertThat(sameTerm).isDone();
    }

    @Test
    void anotherRegionNeedsAFetchOfItsOwn() {
        stamps.next(1, 1);
        answer(100, 110);
        CompletableFuture<Long> other = stamps.next(2, 1);
        assertThat(other).isNotDone();
        answer(400, 410);
        assertThat(other).isCompletedWithValue(400L);
        assertThat(stamps.next(1, 1)).isCompletedWithValue(401L);
    }

    @Test
    void oldOnesAreNotUsed() {
        stamps.next(1, 1);
        answer(100, 110);
        clock.advanceMillis(1000);
        CompletableFuture<Long> later = stamps.next(1, 1);
        assertThat(later).isNotDone();
        answer(500, 510);
        assertThat(later).isCompletedWithValue(500L);
    }

    @Test
    void aFailureIsToldToThoseWhoWaitAndTheNextAsksAgain() {
        CompletableFuture<Long> first = stamps.next(1, 1);
        asked.remove()
                .completeExceptionally(new KvException(new KvError.DeadlineExceeded("no PD")));
        assertThatThrownBy(first::join)
                .isInstanceOf(CompletionException.class)
                .hasCauseInstanceOf(KvException.class);
        CompletableFuture<Long> second = stamps.next(1, 1);
        answer(100, 110);
        assertThat(second).isCompletedWithValue(100L);
    }

    private void answer(long first, long last) {
        asked.remove().complete(new TimestampSource.Range(first, last));
    }
}
