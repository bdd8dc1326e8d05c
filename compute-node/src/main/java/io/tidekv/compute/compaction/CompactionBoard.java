package io.tidekv.compute.compaction;

import io.tidekv.common.metrics.Metrics;
import io.tidekv.proto.compaction.CompactionDone;
import io.tidekv.proto.compaction.CompactionJob;
import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The workers that have asked this store for compactions, and the jobs that they have. There are
 * never more jobs than have been asked for: one for which nobody waits is refused at once, and is
 * done by whoever offers it. Each job ends once: by its worker's answer, with its worker, or by
 * being withdrawn; whatever comes later is passed over. Thread-safe.
 */
public final class CompactionBoard {
    /** Jobs that one worker may ask for at a time. */
    private static final int ASKED_MAX = 4;

    private final CompactionOptions options;
    private final CompactionMetrics metrics;
    private final Object lock = new Object();
    private final Map<Long, Job> jobs = new HashMap<>();

    /** One for each job that has been asked for and not been given out, the oldest first. */
    private final ArrayDeque<Worker> asking = new ArrayDeque<>();

    private long lastId;
    private volatile boolean wanted;

    public CompactionBoard(CompactionOptions options, Metrics metrics) {
        this.options = options;
        this.metrics = new CompactionMetrics(metrics);
    }

    /** Told how a job has ended, by any thread, unless it was withdrawn. */
    public interface Listener {
        void onDone(CompactionDone result);

        void onFailed(String reason);
    }

    private record Job(Worker worker, Listener listener) {}

    public CompactionOptions options() {
        return options;
    }

    public CompactionMetrics metrics() {
        return metrics;
    }

    /** Whether a worker waits for a job. */
    public boolean isWanted() {
        return wanted && options.enabled();
    }

    /** Gives a job to a worker and returns its id; 0 when nobody waits for one. */
    public long offer(CompactionJob job, Listener listener) {
        Worker worker;
        long id;
        synchronized (lock) {
            worker = options.enabled() ? asking.poll() : null;
            wanted = !asking.isEmpty();
            if (worker == null) {
                return 0;
            }
            id = ++lastId;
            worker.asked--;
            worker.ids.add(id);
            jobs.put(id, new Job(worker, listener));
        }
        metrics.offered();
        worker.sink.accept(job.toBuilder().setJobId(id).build());
        return id;
    }

    /** The owner does not want the result any more; its listener is told nothing. */
    public void withdraw(long jobId) {
        take(null, jobId);
    }

    /** The job, which is none any more; null when {@code by} does not have it. */
    private @Nullable Job take(@Nullable Worker by, long jobId) {
        synchronized (lock) {
            Job job = jobs.get(jobId);
            if (job == null || (by != null && by != job.worker)) {
                return null;
            }
            jobs.remove(jobId);
            job.worker.ids.remove(jobId);
            return job;
        }
    }

    /** A worker comes. {@code sink} takes its jobs, from any thread, and must not block. */
    public Worker join(Consumer<CompactionJob> sink) {
        return new Worker(sink);
    }

    /** One worker, until it leaves. */
    public final class Worker {
        private final Consumer<CompactionJob> sink;
        private final Set<Long> ids = new LinkedHashSet<>();
        private int asked;
        private boolean gone;

        private Worker(Consumer<CompactionJob> sink) {
            this.sink = sink;
        }

        /** It can do one job more. Too many are passed over. */
        public void ready() {
            synchronized (lock) {
                if (!gone && asked < ASKED_MAX) {
                    asked++;
                    asking.add(this);
                    wanted = true;
                }
            }
        }

        public void done(CompactionDone result) {
            Job job = take(this, result.getJobId());
            if (job != null) {
                job.listener.onDone(result);
            }
        }

        public void failed(long jobId, String reason) {
            Job job = take(this, jobId);
            if (job != null) {
                job.listener.onFailed(reason);
            }
        }

        /** It is gone, and what it has not answered is given up. */
        public void leave() {
            Set<Long> left;
            synchronized (lock) {
                gone = true;
                asked = 0;
                asking.removeIf(worker -> worker == this);
                wanted = !asking.isEmpty();
                left = Set.copyOf(ids);
            }
            left.forEach(id -> failed(id, "the worker is gone"));
        }
    }
}
