package io.tidekv.compute.service;

import static io.tidekv.compute.service.RawService.answer;

import com.google.protobuf.ByteString;
import io.tidekv.compute.engine.Cf;
import io.tidekv.compute.engine.KvSnapshot;
import io.tidekv.compute.raw.RawCommands;
import io.tidekv.compute.raw.RawException;
import io.tidekv.compute.raw.RawFormat;
import io.tidekv.compute.raw.RawReader;
import io.tidekv.compute.raw.RawScans;
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
    private final ApiChecks api;
    private final RawFormat format;
    private final RawCommands reads;

    RawRangeService(Runner runner, RangeDeletes deletes, KvSettings settings) {
        this.runner = runner;
        this.deletes = deletes;
        this.settings = settings;
        api = new ApiChecks(settings.mode());
        format = new RawFormat(settings.mode());
        reads = new RawCommands(format);
    }

    public CompletableFuture<RawScanResponse> scan(RawScanRequest request) {
        return answer(
                () -> {
                    api.checkRawRange(
                            request.getContext(), request.getStartKey(), request.getEndKey());
                    Cf cf = format.cf(request.getCf());
                    return runner.read(
                            request.getContext(),
                            Cost.RANGE,
                            (target, view) -> {
                                checkStart(target, request.getStartKey(), request.getReverse());
                                return RawScans.scan(
                                        request, cf, reader(view), settings.responseBytes());
                            });
                },
                e -> RawScanResponse.newBuilder().addKvs(RawCommands.failed(e)).build());
    }

    public CompletableFuture<RawBatchScanResponse> batchScan(RawBatchScanRequest request) {
        return answer(
                () -> {
                    api.checkRawRanges(request.getContext(), request.getRangesList());
                    Cf cf = format.cf(request.getCf());
                    return runner.read(
                            request.getContext(),
                            Cost.RANGE,
                            (target, view) -> {
                                for (KeyRange range : request.getRangesList()) {
                                    checkStart(target, range.getStartKey(), request.getReverse());
                                }
                                return RawScans.batchScan(
                                        request, cf, reader(view), settings.responseBytes());
                            });
                },
                e -> RawBatchScanResponse.newBuilder().addKvs(RawCommands.failed(e)).build());
    }

    public CompletableFuture<RawChecksumResponse> checksum(RawChecksumRequest request) {
        return answer(
                () -> {
                    api.checkRawRanges(request.getContext(), request.getRangesList());
                    return runner.read(
                            request.getContext(),
                            Cost.RANGE,
                            (target, view) -> {
                                for (KeyRange range : request.getRangesList()) {
                                    checkStart(target, range.getStartKey(), false);
                                }
                                return reads.checksum(request, reader(view));
                            });
                },
                e -> RawChecksumResponse.newBuilder().setError(e.text()).build());
    }

    public CompletableFuture<RawDeleteRangeResponse> deleteRange(RawDeleteRangeRequest request) {
        return answer(
                () -> {
                    Context context = request.getContext();
                    ByteString end = request.getEndKey();
                    api.checkRawRange(context, request.getStartKey(), end);
                    return deletes.delete(
                                    context,
                                    List.of(format.cf(request.getCf())),
                                    format.keys().bound(request.getStartKey()),
                                    end.isEmpty() ? new byte[0] : format.keys().bound(end))
                            .thenApply(done -> RawDeleteRangeResponse.getDefaultInstance());
                },
                e -> RawDeleteRangeResponse.newBuilder().setError(e.text()).build());
    }

    /** Upwards the region must hold the start; downwards a start beyond the region is cut off. */
    private void checkStart(Target target, ByteString start, boolean reverse) {
        byte[] bound = format.keys().bound(start);
        if (!reverse) {
            RequestChecks.checkStart(target, bound);
        } else if (!target.bounds().containsBound(bound)) {
            throw new RawException(
                    "the start of the range is not in the region of this request: route it again");
        }
    }

    private RawReader reader(KvSnapshot view) {
        return new RawReader(view, format, runner.clock().wallMillis() / 1000);
    }
}
