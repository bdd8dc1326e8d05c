package io.tidekv.sim;

import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

/** What the checker of registers accepts and refuses. Indexes are places in the log. */
class HistoryTest {
    private final History history = new History();

    @Test
    void operationsOneAfterTheOtherAreInOrder() {
        long floor = history.floor(1, 0);
        history.written(1, 0, floor, 5);
        floor = history.floor(1, 0);
        history.read(1, 0, floor, 5);
        floor = history.floor(1, 0);
        history.written(1, 0, floor, 6);
    }

    @Test
    void aReadMayMissAWriteThatIsUnderWay() {
        long reader = history.floor(1, 0);
        history.written(1, 0, history.floor(1, 0), 5);
        assertThatCode(() -> history.read(1, 0, reader, 0)).doesNotThrowAnyException();
    }

    @Test
    void aReadThatMissesAnAnsweredWriteIsStale() {
        history.written(1, 0, history.floor(1, 0), 5);
        long reader = history.floor(1, 0);
        assertThatThrownBy(() -> history.read(1, 0, reader, 4)).hasMessageContaining("stale");
    }

    @Test
    void aReadMayNotGoBehindAnEarlierRead() {
        long early = history.floor(1, 0);
        history.read(1, 0, early, 7);
        long late = history.floor(1, 0);
        assertThatThrownBy(() -> history.read(1, 0, late, 6)).hasMessageContaining("stale");
    }

    @Test
    void aWriteTakesPlaceAfterWhatWasAnsweredBeforeIt() {
        history.written(1, 0, history.floor(1, 0), 5);
        long floor = history.floor(1, 0);
        assertThatThrownBy(() -> history.written(1, 0, floor, 4)).hasMessageContaining("behind");
    }

    @Test
    void whatWasNeverCommittedIsNotRead() {
        assertThatThrownBy(() -> history.read(1, 0, 0, -1)).hasMessageContaining("never");
    }

    @Test
    void registersDoNotMeet() {
        history.written(1, 0, 0, 5);
        history.read(1, 1, history.floor(1, 1), 0);
        history.read(2, 0, history.floor(2, 0), 0);
    }
}
