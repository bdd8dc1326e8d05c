package io.tidekv.compute.service;

import static io.tidekv.compute.service.RawService.answer;

import com.google.protobuf.ByteString;
import io.tidekv.common.time.Clock;
import io.tidekv.compute.engine.Cf;
import io.tidekv.compute.raw.RawCf;
import io.tidekv.compute.raw.RawCommands;
import io.tidekv.compute.raw.RawException;
import io.tidekv.compute.raw.RawReader;
import io.tidekv.compute.raw.RawScans;
import io.tidekv.compute.raw.RawValues;
import io.tidekv.compute.service.Runner.Cost;
import io.tidekv.proto.kvrpcpb.Context;
import io.tidekv.proto.kvrpcpb.KeyRange;
import io.tidekv.proto.kvrpcpb.RawBatchScanRequest;
import io.tidekv.proto.kvrpcpb.RawBatchScanResponse;
import io.tidekv.proto.kvrpcpb.RawChecksumRequest;
import io.tidekv.proto.kvrpcpb.RawChecksumResponse;
import io.tidekv.proto.kvrpcpb.RawDeleteRangeRequest;
import io.tidekv.proto.kvrpcpb.RawDeleteRangeResponse;
import io.tidekv.proto.kvrpcpb.RawScanRequest;
import io.tidekv.proto.kvrpcpb.RawScanResponse;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/** Raw requests on ranges. Thread-safe. */
public final class RawRangeService {
    private final Runner runner;
    private final RangeDeletes deletes;
    private final KvSettings settings;
    private final Clock clock;
    private final ApiChecks api;
    private final RawValues values;
    private final RawCommands reads;

    RawRangeService(Runner runner, RangeDeletes deletes, KvSettings settings, Clock clock) {
        this.runner = runner;
        this.deletes = deletes;
        this.settings = settings;
        this.clock = clock;
        api = new ApiChecks(settings.mode());
        values = new RawValues(settings.mode());
        reads = new RawCommands(values);
    }

    public CompletableFuture<RawScanResponse> scan(RawScanRequest request) {
        return answer(
                () -> {
                    api.checkRaw(request.getContext());
                    return runner.read(
                            request.getContext(),
                            Cost.RANGE,
                            (target, view) -> {
                                checkStart(target, request.getStartKey(), request.getReverse());
                                return RawScans.scan(
                                        request,
                                        new RawReader(view, values, nowSeconds()),
                                        settings.responseBytes());
                            });
                },
                e -> RawScanResponse.newBuilder().addKvs(RawCommands.failed(e)).build());
    }

    public CompletableFuture<RawBatchScanResponse> batchScan(RawBatchScanRequest request) {
        return answer(
                () -> {
                    api.checkRaw(request.getContext());
                    return runner.read(
                            request.getContext(),
                            Cost.RANGE,
                            (target, view) -> {
                                for (KeyRange range : request.getRangesList()) {
                                    checkStart(target, range.getStartKey(), request.getReverse());
                                }
                                return RawScans.batchScan(
                                        request,
                                        new RawReader(view, values, nowSeconds()),
                                        settings.responseBytes());
                            });
                },
                e -> RawBatchScanResponse.newBuilder().addKvs(RawCommands.failed(e)).build());
    }

    public CompletableFuture<RawChecksumResponse> checksum(RawChecksumRequest request) {
        return answer(
                () -> {
                    api.checkRaw(request.getContext());
                    return runner.read(
                            request.getContext(),
                            Cost.RANGE,
                            (target, view) -> {
                                for (KeyRange range : request.getRangesList()) {
                                    checkStart(target, range.getStartKey(), false);
                                }
                                return reads.checksum(
                                        request, new RawReader(view, values, nowSeconds()));
                            });
                },
                e -> RawChecksumResponse.newBuilder().setError(e.text()).build());
    }

    public CompletableFuture<RawDeleteRangeResponse> deleteRange(RawDeleteRangeRequest request) {
        return answer(
                () -> {
                    Context context = request.getContext();
                    api.checkRaw(context);
                    Cf cf = RawCf.of(request.getCf());
                    return deletes.delete(
                                    context,
                                    List.of(cf),
                                    request.getStartKey().toByteArray(),
                                    request.getEndKey().toByteArray())
                            .thenApply(done -> RawDeleteRangeResponse.getDefaultInstance());
                },
                e -> RawDeleteRangeResponse.newBuilder().setError(e.text()).build());
    }

    /** Upwards the region must hold the start; downwards a start beyond the region is cut off. */
    private static void checkStart(Target target, ByteString start, boolean reverse) {
        if (!reverse) {
            RequestChecks.checkKey(target, start);
        } else if (!target.bounds().containsBound(start.toByteArray())) {
            throw new RawException(
                    "the start of the range is not in the region of this request: route it again");
        }
    }

    private long nowSeconds() {
        return clock.wallMillis() / 1000;
    }
}
