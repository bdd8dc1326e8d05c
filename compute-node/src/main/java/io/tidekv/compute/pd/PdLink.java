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

/**
 * PD as a store sees it. Thread-safe; only {@link #register} blocks. Futures fail with {@link
 * PdException}, complete within a deadline, and run their continuations on a thread that must not
 * be held up.
 */
public interface PdLink extends AutoCloseable {
    /**
     * Announces this process and waits until PD has given it an id and an incarnation. Tries again
     * until {@code atMost} is over.
     *
     * @throws PdException when PD refuses, or cannot be reached in time
     */
    RegisterStoreResponse register(RegisterStoreRequest request, Duration atMost);

    /** Opens a stream of reports. It ends by itself when the connection breaks. */
    ReportStream openReports(ReportListener listener);

    CompletableFuture<AskSplitResponse> askSplit(AskSplitRequest request);

    /** Completes when PD has made the split durable; safe to repeat. */
    CompletableFuture<ReportSplitResponse> reportSplit(ReportSplitRequest request);

    /** Completes when PD has made the merge durable; safe to repeat. */
    CompletableFuture<Void> reportMerge(ReportMergeRequest request);

    /** What has become of the merge for which a region is sealed. */
    CompletableFuture<JudgeMergeResponse> judgeMerge(JudgeMergeRequest request);

    TimestampSource timestamps();

    @Override
    void close();

    /** One stream of reports, in order. */
    interface ReportStream {
        /** Hands a report over; false when the stream is over or too much is waiting. */
        boolean send(StoreReport report);

        /** Ends the stream; no callbacks follow. */
        void close();
    }

    /** Called one at a time; must be short. */
    interface ReportListener {
        void onCommand(StoreCommand command);

        /** The stream is over; nothing follows. */
        void onEnd(String reason);
    }
}
