package io.tidekv.cli.bench;

import com.google.protobuf.ByteString;
import com.google.protobuf.UnsafeByteOperations;
import io.grpc.Status;
import io.grpc.stub.StreamObserver;
import io.tidekv.compute.engine.Cf;
import io.tidekv.compute.engine.WriteBatchBuilder;
import io.tidekv.compute.tablet.rocks.PlainRocks;
import io.tidekv.proto.kvrpcpb.KvPair;
import io.tidekv.proto.kvrpcpb.RawBatchPutRequest;
import io.tidekv.proto.kvrpcpb.RawBatchPutResponse;
import io.tidekv.proto.kvrpcpb.RawGetRequest;
import io.tidekv.proto.kvrpcpb.RawGetResponse;
import io.tidekv.proto.kvrpcpb.RawPutRequest;
import io.tidekv.proto.kvrpcpb.RawPutResponse;
import io.tidekv.proto.tikvpb.BatchCommandsRequest;
import io.tidekv.proto.tikvpb.BatchCommandsRequest.Request;
import io.tidekv.proto.tikvpb.BatchCommandsResponse;
import io.tidekv.proto.tikvpb.BatchCommandsResponse.Response;
import io.tidekv.proto.tikvpb.TikvGrpc;

/**
 * Raw gets and puts of a RocksDB, in the streams that clients of a store use, evaluated where they
 * arrive: a message of requests is answered by one of answers. Thread-safe.
 */
final class RocksService extends TikvGrpc.TikvImplBase {
    private static final byte[] NO_SUFFIX = {};

    private final PlainRocks rocks;

    RocksService(PlainRocks rocks) {
        this.rocks = rocks;
    }

    @Override
    public StreamObserver<BatchCommandsRequest> batchCommands(
            StreamObserver<BatchCommandsResponse> out) {
        return new StreamObserver<>() {
            @Override
            public void onNext(BatchCommandsRequest message) {
                BatchCommandsResponse.Builder answers = BatchCommandsResponse.newBuilder();
                for (int i = 0; i < message.getRequestsCount(); i++) {
                    answers.addRequestIds(message.getRequestIds(i));
                    answers.addResponses(answer(message.getRequests(i)));
                }
                out.onNext(answers.build());
            }

            @Override
            public void onError(Throwable cause) {
                // The client is gone.
            }

            @Override
            public void onCompleted() {
                out.onCompleted();
            }
        };
    }

    private Response answer(Request request) {
        Response.Builder answer = Response.newBuilder();
        switch (request.getCmdCase()) {
            case RAWGET -> answer.setRawGet(get(request.getRawGet()));
            case RAWPUT -> answer.setRawPut(put(request.getRawPut()));
            case RAWBATCHPUT -> answer.setRawBatchPut(putAll(request.getRawBatchPut()));
            default -> throw Status.UNIMPLEMENTED.asRuntimeException();
        }
        return answer.build();
    }

    private RawGetResponse get(RawGetRequest request) {
        byte[] value = rocks.get(request.getKey().toByteArray());
        return value == null
                ? RawGetResponse.newBuilder().setNotFound(true).build()
                : RawGetResponse.newBuilder()
                        .setValue(UnsafeByteOperations.unsafeWrap(value))
                        .build();
    }

    private RawPutResponse put(RawPutRequest request) {
        WriteBatchBuilder batch = new WriteBatchBuilder();
        batch.put(Cf.DEFAULT, request.getKey(), request.getValue(), NO_SUFFIX);
        write(batch.build());
        return RawPutResponse.getDefaultInstance();
    }

    private RawBatchPutResponse putAll(RawBatchPutRequest request) {
        WriteBatchBuilder batch = new WriteBatchBuilder(request.getSerializedSize());
        for (KvPair pair : request.getPairsList()) {
            batch.put(Cf.DEFAULT, pair.getKey(), pair.getValue(), NO_SUFFIX);
        }
        write(batch.build());
        return RawBatchPutResponse.getDefaultInstance();
    }

    private void write(ByteString batch) {
        rocks.write(batch.toByteArray());
    }
}
