package io.tidekv.compute.pd;

import io.tidekv.proto.cluster.AskSplitRequest;
import io.tidekv.proto.cluster.AskSplitResponse;
import io.tidekv.proto.cluster.JudgeMergeRequest;
import io.tidekv.proto.cluster.JudgeMergeResponse;
import io.tidekv.proto.cluster.RegisterStoreRequest;
import io.tidekv.proto.cluster.RegisterStoreResponse;
import io.tidekv.proto.cluster.ReportMergeRequest;
import io.tidekv.proto.cluster.ReportSplitRequest;
import io.tidekv.proto.cluster.ReportSplitResponse;
import io.tidekv.proto.cluster.StoreCommand;
import io.tidekv.proto.cluster.StoreReport;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;

/**
 * A process's link to a {@link MemoryPd}. Can be cut, which a store sees as a PD that does not
 * answer. Thread-safe.
 */
public final class MemoryPdLink implements PdLink {
    private final MemoryPd pd;
    private volatile boolean cut;
    private volatile boolean cutAfterIds;

    MemoryPdLink(MemoryPd pd) {
        this.pd = pd;
    }

    /** Loses everything in both directions, or stops doing so. */
    public void cut(boolean lost) {
        cut = lost;
    }

    /** Loses everything from the next answer to AskSplit on: PD hears of no split. */
    public void cutAfterIds(boolean lost) {
        cutAfterIds = lost;
    }

    @Override
    public RegisterStoreResponse register(RegisterStoreRequest request, Duration atMost) {
        if (cut) {
            throw PdException.unavailable("cut off");
        }
        return pd.register(request);
    }

    @Override
    public ReportStream openReports(ReportListener listener) {
        return new Stream(listener);
    }

    @Override
    public CompletableFuture<AskSplitResponse> askSplit(AskSplitRequest request) {
        return pd.later(
                () -> {
                    AskSplitResponse response = checked(() -> pd.askSplit(request));
                    cut |= cutAfterIds;
                    return response;
                });
    }

    @Override
    public CompletableFuture<ReportSplitResponse> reportSplit(ReportSplitRequest request) {
        return pd.later(() -> checked(() -> pd.split(request)));
    }

    @Override
    public CompletableFuture<Void> reportMerge(ReportMergeRequest request) {
        return pd.<Boolean>later(
                        () ->
                                checked(
                                        () -> {
                                            pd.merged(request);
                                            return true;
                                        }))
                .thenApply(done -> null);
    }

    @Override
    public CompletableFuture<JudgeMergeResponse> judgeMerge(JudgeMergeRequest request) {
        return pd.later(() -> checked(() -> pd.judge(request)));
    }

    private <T> T checked(Supplier<T> call) {
        if (cut) {
            throw PdException.unavailable("cut off");
        }
        return call.get();
    }

    @Override
    public TimestampSource timestamps() {
        return () -> pd.later(() -> checked(pd::timestamp));
    }

    @Override
    public void close() {
        cut = true;
    }

    /** Becomes known to PD with its first report. */
    private final class Stream implements ReportStream, ReportListener {
        private final ReportListener listener;
        private boolean known;
        private volatile boolean over;

        Stream(ReportListener listener) {
            this.listener = listener;
        }

        @Override
        public boolean send(StoreReport report) {
            if (over) {
                return false;
            }
            if (!cut) {
                if (!known) {
                    known = true;
                    pd.opened(report.getOwner(), this);
                }
                pd.reported(report);
            }
            return true;
        }

        @Override
        public void close() {
            over = true;
        }

        @Override
        public void onCommand(StoreCommand command) {
            if (!cut && !over) {
                listener.onCommand(command);
            }
        }

        @Override
        public void onEnd(String reason) {
            listener.onEnd(reason);
        }
    }
}
