package io.tidekv.pd.grpc;

import com.google.protobuf.ByteString;
import io.tidekv.pd.core.Keys;
import io.tidekv.pd.keyspace.Keyspaces;
import io.tidekv.pd.log.StateLog;
import io.tidekv.pd.schedule.LiveView;
import io.tidekv.proto.cluster.JudgeMergeRequest;
import io.tidekv.proto.cluster.MergeVerdict;
import io.tidekv.proto.cluster.RegionState;
import io.tidekv.proto.cluster.ReportSplitRequest;
import io.tidekv.proto.pdstate.Command;
import io.tidekv.proto.pdstate.IssueTerms;
import io.tidekv.proto.pdstate.RegionEntry;
import io.tidekv.proto.pdstate.TermOrder;
import io.tidekv.proto.region.RegionShape;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * What has become of a merge, for a region that is sealed for it. It is committed when the region
 * is not in the table any more. It is void when a leader of the target that came after the one that
 * meant to commit it serves without the region's range, for nobody else could commit it; as long as
 * there is no later leader, one is made. Both stay true once they are.
 */
final class Merges {
    private final StateLog log;
    private final LiveView live;

    Merges(StateLog log, LiveView live) {
        this.log = log;
        this.live = live;
    }

    /** Throws IllegalArgumentException when the two are to stay two. */
    void check(long sourceId, long targetId) {
        RegionEntry source = region(sourceId);
        RegionEntry target = region(targetId);
        if (source == null || target == null) {
            return;
        }
        RegionShape one = source.getShape();
        RegionShape other = target.getShape();
        ByteString border =
                one.getEndKey().equals(other.getStartKey())
                        ? other.getStartKey()
                        : one.getStartKey();
        if (log.read(state -> Keyspaces.isBorder(state, border))) {
            throw new IllegalArgumentException(
                    "regions " + sourceId + " and " + targetId + " meet where a keyspace ends");
        }
    }

    /** Which children of a split that PD has taken are not in the table any more. */
    List<Long> gone(ReportSplitRequest taken) {
        return taken.getChildrenList().stream()
                .map(child -> child.getShape().getRegionId())
                .filter(id -> region(id) == null)
                .toList();
    }

    /** May issue a term. */
    CompletableFuture<MergeVerdict> judge(JudgeMergeRequest request) {
        RegionEntry source = region(request.getSourceRegionId());
        RegionEntry target = region(request.getTargetRegionId());
        if (source == null) {
            return done(MergeVerdict.MERGE_COMMITTED);
        }
        if (target == null) {
            return done(MergeVerdict.MERGE_VOID);
        }
        if (target.getTerm() <= request.getTargetTerm()) {
            return log.submit(successor(target))
                    .thenApply(Answers.accepted(r -> MergeVerdict.MERGE_UNDECIDED));
        }
        var report = live.report(target);
        boolean isVoid =
                report != null
                        && report.getState() == RegionState.LEADING
                        && !covers(report.getShape(), source.getShape());
        return done(isVoid ? MergeVerdict.MERGE_VOID : MergeVerdict.MERGE_UNDECIDED);
    }

    private @Nullable RegionEntry region(long id) {
        return log.read(state -> state.regions().get(id));
    }

    private static CompletableFuture<MergeVerdict> done(MergeVerdict verdict) {
        return CompletableFuture.completedFuture(verdict);
    }

    private static Command successor(RegionEntry target) {
        return Command.newBuilder()
                .setIssueTerms(
                        IssueTerms.newBuilder()
                                .addOrders(
                                        TermOrder.newBuilder()
                                                .setRegionId(target.getShape().getRegionId())
                                                .setExpectedTerm(target.getTerm())
                                                .setOwner(target.getOwner())))
                .build();
    }

    private static boolean covers(RegionShape whole, RegionShape part) {
        return Keys.contains(whole.getStartKey(), whole.getEndKey(), part.getStartKey());
    }
}
