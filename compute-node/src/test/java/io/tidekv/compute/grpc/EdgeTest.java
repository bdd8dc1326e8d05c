package io.tidekv.compute.grpc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.health.v1.HealthGrpc;
import io.tidekv.compute.engine.ApiMode;
import io.tidekv.compute.service.KvSettings;
import io.tidekv.proto.debugpb.DB;
import io.tidekv.proto.debugpb.DebugGrpc;
import io.tidekv.proto.debugpb.GetRequest;
import io.tidekv.proto.kvrpcpb.CheckLeaderRequest;
import io.tidekv.proto.kvrpcpb.CheckLeaderResponse;
import io.tidekv.proto.kvrpcpb.Context;
import io.tidekv.proto.kvrpcpb.GCRequest;
import io.tidekv.proto.kvrpcpb.LeaderInfo;
import io.tidekv.proto.kvrpcpb.PrewriteRequest;
import io.tidekv.proto.kvrpcpb.RawGetRequest;
import io.tidekv.proto.kvrpcpb.StoreSafeTSRequest;
import io.tidekv.proto.tikvpb.TikvGrpc;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Unary calls, health and status pages as clients see them. */
class EdgeTest {
    private final KvServer server = new KvServer(KvSettings.of(ApiMode.V1TTL));
    private final TikvGrpc.TikvBlockingStub tikv = TikvGrpc.newBlockingStub(server.channel);

    @AfterEach
    void close() {
        server.close();
    }

    @Test
    void aValueGoesInAndComesOut() {
        tikv.rawPut(Requests.rawPut(server, "a", ByteString.copyFromUtf8("v")));
        assertThat(tikv.rawGet(Requests.rawGet(server, "a")).getValue().toStringUtf8())
                .isEqualTo("v");
        assertThat(server.metrics.expose())
                .contains("tikv_grpc_msg_duration_seconds_count{type=\"raw_get\"} 1");
    }

    @Test
    void aForeignClusterIsAnInvalidArgument() {
        RawGetRequest request =
                RawGetRequest.newBuilder()
                        .setContext(Requests.context(server).setClusterId(5))
                        .build();
        assertStatus(Status.Code.INVALID_ARGUMENT, () -> tikv.rawGet(request));
        RawGetRequest own =
                request.toBuilder()
                        .setContext(Requests.context(server).setClusterId(KvServer.CLUSTER))
                        .build();
        assertThat(tikv.rawGet(own).getNotFound()).isTrue();
    }

    @Test
    void otherStoresAreToldWhoLeadsHere() {
        Context here = Requests.context(server).build();
        LeaderInfo right =
                LeaderInfo.newBuilder()
                        .setRegionId(here.getRegionId())
                        .setPeerId(here.getPeer().getId())
                        .setTerm(6)
                        .setRegionEpoch(here.getRegionEpoch())
                        .build();
        CheckLeaderRequest.Builder request = CheckLeaderRequest.newBuilder().setTs(5);
        request.addRegions(right.toBuilder().setRegionId(999));
        request.addRegions(right.toBuilder().setTerm(5));
        request.addRegions(right.toBuilder().setPeerId(999));
        request.addRegions(right.toBuilder().clearRegionEpoch());
        assertThat(tikv.checkLeader(request.build()))
                .isEqualTo(CheckLeaderResponse.newBuilder().setTs(5).build());
        assertThat(tikv.checkLeader(request.addRegions(right).build()).getRegionsList())
                .containsExactly(here.getRegionId());
    }

    @Test
    void whatIsNotServedSaysSo() {
        assertStatus(Status.Code.UNIMPLEMENTED, () -> tikv.kvGC(GCRequest.getDefaultInstance()));
        PrewriteRequest inFiles =
                PrewriteRequest.newBuilder()
                        .setContext(Requests.context(server))
                        .addTxnFileChunks(1)
                        .build();
        assertThat(tikv.kvPrewrite(inFiles).getErrors(0).getAbort()).contains("not served");
    }

    @Test
    void storeWideQuestionsNeedNoRegion() {
        assertThat(tikv.getStoreSafeTS(StoreSafeTSRequest.getDefaultInstance()).getSafeTs())
                .isZero();
        assertThat(
                        DebugGrpc.newBlockingStub(server.channel)
                                .getStoreInfo(
                                        io.tidekv.proto.debugpb.GetStoreInfoRequest
                                                .getDefaultInstance())
                                .getStoreId())
                .isEqualTo(KvServer.STORE);
    }

    @Test
    void storedBytesCanBeLookedAt() {
        tikv.rawPut(Requests.rawPut(server, "a", ByteString.copyFromUtf8("val")));
        GetRequest.Builder request =
                GetRequest.newBuilder().setDb(DB.KV).setCf("default").setKey(bytes("za"));
        assertThat(DebugGrpc.newBlockingStub(server.channel).get(request.build()).getValue())
                .isEqualTo(bytes("val\0\0\0\0\0\0\0\0"));
        assertStatus(
                Status.Code.NOT_FOUND,
                () -> debugGet(server.channel, request.setKey(bytes("zb")).build()));
        assertStatus(
                Status.Code.INVALID_ARGUMENT,
                () -> debugGet(server.channel, request.setKey(bytes("a")).build()));
    }

    @Test
    void healthIsServing() {
        assertThat(
                        HealthGrpc.newBlockingStub(server.channel)
                                .check(HealthCheckRequest.getDefaultInstance())
                                .getStatus())
                .isEqualTo(ServingStatus.SERVING);
    }

    @Test
    void theModeIsInTheConfigPage() throws Exception {
        assertThat(page("/config")).contains("\"api-version\" : 1", "\"enable-ttl\" : true");
        assertThat(page("/status")).contains("store_id");
        assertThat(page("/ready")).isEqualTo("ready");
        assertThat(page("/health")).contains("ok");
        assertThat(page("/metrics")).contains("tidekv_grpc_in_flight_bytes");
    }

    private String page(String path) throws IOException, InterruptedException {
        HttpRequest request = HttpRequest.newBuilder(URI.create(server.statusUrl() + path)).build();
        HttpResponse<String> answer =
                HttpClient.newHttpClient().send(request, HttpResponse.BodyHandlers.ofString());
        assertThat(answer.statusCode()).isEqualTo(200);
        return answer.body();
    }

    private static void debugGet(ManagedChannel channel, GetRequest request) {
        DebugGrpc.newBlockingStub(channel).get(request);
    }

    private static void assertStatus(Status.Code code, Runnable call) {
        assertThatThrownBy(call::run)
                .isInstanceOfSatisfying(
                        StatusRuntimeException.class,
                        e -> assertThat(e.getStatus().getCode()).isEqualTo(code));
    }

    private static ByteString bytes(String text) {
        return ByteString.copyFromUtf8(text);
    }
}
