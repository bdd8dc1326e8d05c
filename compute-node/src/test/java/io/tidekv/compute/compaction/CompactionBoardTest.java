package io.tidekv.compute.compaction;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidekv.common.metrics.Metrics;
import io.tidekv.proto.compaction.CompactionDone;
import io.tidekv.proto.compaction.CompactionJob;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class CompactionBoardTest {
    private final CompactionBoard board =
            new CompactionBoard(CompactionOptions.DEFAULT, new Metrics());
    private final List<CompactionJob> given = new ArrayList<>();
    private final List<String> told = new ArrayList<>();

    private long offer() {
        return board.offer(
                CompactionJob.newBuilder().setRegionId(7).build(),
                new CompactionBoard.Listener() {
                    @Override
                    public void onDone(CompactionDone result) {
                        told.add("done " + result.getJobId());
                    }

                    @Override
                    public void onFailed(String reason) {
                        told.add(reason);
                    }
                });
    }

    private static CompactionDone done(long job) {
        return CompactionDone.newBuilder().setJobId(job).build();
    }

    @Test
    void nobodyGetsMoreThanWasAskedFor() {
        assertThat(board.isWanted()).isFalse();
        assertThat(offer()).isZero();
        CompactionBoard.Worker worker = board.join(given::add);
        assertThat(offer()).as("it has not asked").isZero();
        worker.ready();
        worker.ready();
        assertThat(board.isWanted()).isTrue();
        long one = offer();
        long other = offer();
        assertThat(board.isWanted()).isFalse();
        assertThat(offer()).isZero();
        assertThat(given).extracting(CompactionJob::getJobId).containsExactly(one, other);
        worker.done(done(other));
        worker.failed(one, "no");
        assertThat(told).containsExactly("done " + other, "no");
    }

    @Test
    void anAnswerCountsOnce() {
        CompactionBoard.Worker worker = board.join(given::add);
        worker.ready();
        long job = offer();
        worker.done(done(job));
        worker.done(done(job));
        worker.failed(job, "again");
        worker.leave();
        assertThat(told).containsExactly("done " + job);
    }

    @Test
    void onlyTheWorkerThatHasAJobMayAnswerIt() {
        CompactionBoard.Worker worker = board.join(given::add);
        CompactionBoard.Worker other = board.join(job -> {});
        worker.ready();
        long job = offer();
        other.done(done(job));
        other.failed(job, "not its own");
        other.leave();
        assertThat(told).isEmpty();
        worker.done(done(job));
        assertThat(told).containsExactly("done " + job);
    }

    @Test
    void whatAWorkerHasEndsWithIt() {
        CompactionBoard.Worker worker = board.join(given::add);
        worker.ready();
        worker.ready();
        long job = offer();
        worker.leave();
        assertThat(told).containsExactly("the worker is gone");
        assertThat(board.isWanted()).isFalse();
        worker.ready();
        worker.done(done(job));
        assertThat(offer()).isZero();
        assertThat(told).hasSize(1);
    }

    @Test
    void whatIsWithdrawnIsOver() {
        CompactionBoard.Worker worker = board.join(given::add);
        worker.ready();
        long job = offer();
        board.withdraw(job);
        worker.done(done(job));
        worker.leave();
        assertThat(told).isEmpty();
    }

    @Test
    void nothingIsGivenAwayWhereItIsNotAllowed() {
        CompactionBoard closed =
                new CompactionBoard(
                        new CompactionOptions(false, 0, Duration.ofMinutes(1)), new Metrics());
        closed.join(given::add).ready();
        assertThat(closed.isWanted()).isFalse();
        assertThat(
                        closed.offer(
                                CompactionJob.getDefaultInstance(),
                                new CompactionBoard.Listener() {
                                    @Override
                                    public void onDone(CompactionDone result) {}

                                    @Override
                                    public void onFailed(String reason) {}
                                }))
                .isZero();
        assertThat(given).isEmpty();
    }
}
