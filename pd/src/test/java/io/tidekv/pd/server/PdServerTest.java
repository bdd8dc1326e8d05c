package io.tidekv.pd.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.google.protobuf.ByteString;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.health.v1.HealthGrpc;
import io.tidekv.common.config.Settings;
import io.tidekv.common.grpc.GrpcTransports;
import io.tidekv.proto.cluster.ClusterGrpc;
import io.tidekv.proto.cluster.ClusterStatusRequest;
import io.tidekv.proto.cluster.ClusterStatusResponse;
import io.tidekv.proto.cluster.MoveRegionRequest;
import io.tidekv.proto.etcdserverpb.KVGrpc;
import io.tidekv.proto.etcdserverpb.MemberListRequest;
import io.tidekv.proto.etcdserverpb.PutRequest;
import io.tidekv.proto.etcdserverpb.RangeRequest;
import io.tidekv.proto.keyspacepb.KeyspaceGrpc;
import io.tidekv.proto.keyspacepb.KeyspaceMeta;
import io.tidekv.proto.keyspacepb.KeyspaceState;
import io.tidekv.proto.keyspacepb.LoadKeyspaceRequest;
import io.tidekv.proto.pdpb.AdvanceTxnSafePointRequest;
import io.tidekv.proto.pdpb.AllocIDRequest;
import io.tidekv.proto.pdpb.ErrorType;
import io.tidekv.proto.pdpb.GetMembersRequest;
import io.tidekv.proto.pdpb.GetMembersResponse;
import io.tidekv.proto.pdpb.GetRegionRequest;
import io.tidekv.proto.pdpb.GetRegionResponse;
import io.tidekv.proto.pdpb.GetStoreRequest;
import io.tidekv.proto.pdpb.PDGrpc;
import io.tidekv.proto.pdpb.QueryRegionRequest;
import io.tidekv.proto.pdpb.QueryRegionResponse;
import io.tidekv.proto.pdpb.RequestHeader;
import io.tidekv.proto.pdpb.TsoRequest;
import io.tidekv.proto.pdpb.TsoResponse;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** One PD node over its port, with two stores that obey. */
class PdServerTest {
    @TempDir static Path temp;

    private static PdServer pd;
    private static ManagedChannel channel;
    private static TestStore a;
    private static TestStore b;
    private static RequestHeader header;

    @BeforeAll
    static void start() throws IOException {
        pd = PdServer.start(config(temp.resolve("pd"), Map.of()));
        channel = GrpcTransports.channel("127.0.0.1:" + pd.port()).build();
        header = RequestHeader.newBuilder().setClusterId(pd.clusterId()).build();
        for (String uuid : List.of("x", "y", "z")) {
            TestStore.registerWal(channel, uuid);
        }
        a = new TestStore(channel, "127.0.0.1:20160");
        b = new TestStore(channel, "127.0.0.1:20161");
        await().until(() -> !a.regions.isEmpty() || !b.regions.isEmpty());
        await().until(() -> serving(""));
    }

    @AfterAll
    static void stop() {
        channel.shutdownNow();
        pd.close();
    }

    @Test
    void tellsItsMembers() {
        GetMembersResponse members =
                PDGrpc.newBlockingStub(channel).getMembers(GetMembersRequest.getDefaultInstance());
        assertThat(members.getHeader().getClusterId()).isEqualTo(pd.clusterId()).isPositive();
        assertThat(members.getLeader().getMemberId()).isNotZero();
        assertThat(members.getLeader().getClientUrls(0)).isEqualTo("http://127.0.0.1:" + pd.port());
        assertThat(
                        io.tidekv.proto.etcdserverpb.ClusterGrpc.newBlockingStub(channel)
                                .memberList(MemberListRequest.getDefaultInstance())
                                .getMembers(0)
                                .getClientURLs(0))
                .isEqualTo("http://127.0.0.1:" + pd.port());
        assertThat(
                        HealthGrpc.newBlockingStub(channel)
                                .check(HealthCheckRequest.getDefaultInstance())
                                .getStatus())
                .isEqualTo(ServingStatus.SERVING);
    }

    @Test
    void refusesAnotherCluster() {
        RequestHeader other = RequestHeader.newBuilder().setClusterId(1).build();
        assertThatThrownBy(
                        () ->
                                PDGrpc.newBlockingStub(channel)
                                        .allocID(
                                                AllocIDRequest.newBuilder()
                                                        .setHeader(other)
                                                        .build()))
                .isInstanceOfSatisfying(
                        StatusRuntimeException.class,
                        e -> {
                            assertThat(e.getStatus().getCode())
                                    .isEqualTo(Status.Code.FAILED_PRECONDITION);
                            assertThat(e).hasMessageContaining("mismatch cluster id");
                        });
    }

    @Test
    void givesTimestampsOnAStreamAndOnHalfClosedOnes() {
        Calls<TsoRequest, TsoResponse> stream = new Calls<>(PDGrpc.newStub(channel)::tso);
        long last = 0;
        for (int count : new int[] {1, 10, 1_000, 1}) {
            TsoResponse response = stream.call(tso(count));
            assertThat(response.getCount()).isEqualTo(count);
            long ts =
                    response.getTimestamp().getPhysical() << 18
                            | response.getTimestamp().getLogical();
            assertThat(ts - count).isGreaterThanOrEqualTo(last);
            last = ts;
        }
        stream.close();
        // As client-java: one request, half-close, one answer, OK.
        Calls<TsoRequest, TsoResponse> single = new Calls<>(PDGrpc.newStub(channel)::tso);
        single.send(tso(1));
        single.close();
        assertThat(single.next().getTimestamp().getPhysical()).isPositive();
        assertThat(single.end().isOk()).isTrue();

        Calls<TsoRequest, TsoResponse> zero = new Calls<>(PDGrpc.newStub(channel)::tso);
        zero.send(tso(0));
        assertThat(zero.end().getCode()).isEqualTo(Status.Code.UNKNOWN);
        Calls<TsoRequest, TsoResponse> foreign = new Calls<>(PDGrpc.newStub(channel)::tso);
        foreign.send(TsoRequest.newBuilder().setCount(1).build());
        assertThat(foreign.end().getCode()).isEqualTo(Status.Code.FAILED_PRECONDITION);
    }

    @Test
    void loadsTheKeyspaceThatClientsOfApiV2BeginWith() {
        KeyspaceGrpc.KeyspaceBlockingStub keyspaces = KeyspaceGrpc.newBlockingStub(channel);
        LoadKeyspaceRequest.Builder ask = LoadKeyspaceRequest.newBuilder().setHeader(header);
        KeyspaceMeta found = keyspaces.loadKeyspace(ask.setName("DEFAULT").build()).getKeyspace();
        assertThat(found.getId()).isZero();
        assertThat(found.getName()).isEqualTo("DEFAULT");
        assertThat(found.getState()).isEqualTo(KeyspaceState.ENABLED);
        assertThat(
                        keyspaces
                                .loadKeyspace(ask.setName("other").build())
                                .getHeader()
                                .getError()
                                .getType())
                .isEqualTo(ErrorType.ENTRY_NOT_FOUND);
    }

    @Test
    void routes() {
        GetRegionResponse found = region("some key");
        assertThat(found.getRegion().getPeersCount()).isEqualTo(1);
        assertThat(found.getLeader()).isEqualTo(found.getRegion().getPeers(0));
        long id = found.getRegion().getId();

        Calls<QueryRegionRequest, QueryRegionResponse> query =
                new Calls<>(PDGrpc.newStub(channel)::queryRegion);
        QueryRegionResponse answer =
                query.call(
                        QueryRegionRequest.newBuilder()
                                .setHeader(header)
                                .addKeys(ByteString.copyFromUtf8("b"))
                                .addKeys(ByteString.copyFromUtf8("a"))
                                .addPrevKeys(ByteString.copyFromUtf8("a"))
                                .addIds(4711)
                                .build());
        assertThat(answer.getKeyIdMapList()).containsExactly(id, id);
        assertThat(answer.getPrevKeyIdMapList()).containsExactly(0L);
        assertThat(answer.getRegionsByIdMap()).containsOnlyKeys(id, 4711L);
        assertThat(answer.getRegionsByIdOrThrow(4711).hasRegion()).isFalse();
        assertThat(answer.getRegionsByIdOrThrow(id).getLeader()).isEqualTo(found.getLeader());
        query.close();
        assertThat(query.end().isOk()).isTrue();
    }

    @Test
    void knowsItsStores() {
        assertThat(store(a.owner.getStoreId()).getStore().getAddress()).endsWith(":20160");
        assertThat(store(4711).getHeader().getError().getType()).isEqualTo(ErrorType.UNKNOWN);
        assertThat(store(4711).getHeader().getError().getMessage())
                .isEqualTo("invalid store ID 4711, not found");
        ClusterStatusResponse status =
                ClusterGrpc.newBlockingStub(channel)
                        .clusterStatus(ClusterStatusRequest.getDefaultInstance());
        assertThat(status.getStoresUp()).isEqualTo(2);
        assertThat(status.getWalUp()).isEqualTo(3);
        assertThat(status.getRegionsServing()).isEqualTo(1);
        assertThat(status.getPdLeader()).isEqualTo("pd");
    }

    @Test
    void movesARegion() {
        GetRegionResponse before = region("k");
        long to =
                before.getLeader().getStoreId() == a.owner.getStoreId()
                        ? b.owner.getStoreId()
                        : a.owner.getStoreId();
        ClusterGrpc.newBlockingStub(channel)
                .moveRegion(
                        MoveRegionRequest.newBuilder()
                                .setRegionId(before.getRegion().getId())
                                .setTargetStoreId(to)
                                .setTimeoutMs(10_000)
                                .build());
        assertThat(region("k").getLeader().getStoreId()).isEqualTo(to);
        assertThatThrownBy(
                        () ->
                                ClusterGrpc.newBlockingStub(channel)
                                        .moveRegion(
                                                MoveRegionRequest.newBuilder()
                                                        .setRegionId(4711)
                                                        .setTargetStoreId(to)
                                                        .build()))
                .hasMessageContaining("NOT_FOUND: region 4711 not found");
    }

    @Test
    void mirrorsTheSafePointInEtcd() {
        ByteString key = ByteString.copyFromUtf8("/tidb/store/gcworker/saved_safe_point");
        RangeRequest range = RangeRequest.newBuilder().setKey(key).build();
        assertThat(KVGrpc.newBlockingStub(channel).range(range).getCount()).isZero();
        PDGrpc.newBlockingStub(channel)
                .advanceTxnSafePoint(
                        AdvanceTxnSafePointRequest.newBuilder()
                                .setHeader(header)
                                .setTarget(42)
                                .build());
        assertThat(KVGrpc.newBlockingStub(channel).range(range).getKvs(0).getValue().toStringUtf8())
                .isEqualTo("42");
        assertThatThrownBy(
                        () -> KVGrpc.newBlockingStub(channel).put(PutRequest.getDefaultInstance()))
                .hasMessageContaining("key is not provided");
        PutRequest other = PutRequest.newBuilder().setKey(key).setValue(key).build();
        assertThat(KVGrpc.newBlockingStub(channel).put(other).getHeader().getRevision())
                .isPositive();
        assertThat(KVGrpc.newBlockingStub(channel).range(range).getKvsList())
                .as("the safe point itself is shown")
                .hasSize(1)
                .allMatch(kv -> kv.getValue().toStringUtf8().equals("42"));
    }

    @Test
    void answersHttpOnTheSamePort() throws Exception {
        assertThat(http("GET", "/pd/api/v1/members").body())
                .contains("\"cluster_id\"", "\"etcd_leader\"", "" + pd.clusterId());
        assertThat(http("GET", "/pd/api/v1/stores").body())
                .contains("\"count\" : 2", "\"state_name\" : \"Up\"");
        HttpResponse<String> regions = http("GET", "/pd/api/v1/regions");
        assertThat(regions.statusCode()).isEqualTo(200);
        assertThat(regions.body()).contains("\"count\" : 1", "\"role_name\" : \"Voter\"");
        assertThat(http("HEAD", "/pd/api/v1/regions").statusCode()).isEqualTo(405);
        assertThat(http("POST", "/pd/api/v1/stores").statusCode()).isEqualTo(405);
        assertThat(http("GET", "/pd/api/v1/nosuch").statusCode()).isEqualTo(404);
        assertThat(http("GET", "/pd/api/v1/region/id/4711").statusCode()).isEqualTo(404);
        assertThat(http("GET", "/pd/api/v1/region/id/abc").statusCode()).isEqualTo(400);
        assertThat(http("GET", "/pd/api/v1/region/key/%FF%00").statusCode()).isEqualTo(200);
        assertThat(http("GET", "/metrics").body()).contains("tidekv_pd_leading 1.0");
        assertThat(http("GET", "/health").body()).contains("\"true\"");
    }

    @Test
    void refusesToStartWhereItCannot() throws IOException {
        assertThatThrownBy(() -> PdServer.start(config(temp.resolve("pd"), Map.of())))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("in use by another PD");
        assertThatThrownBy(
                        () ->
                                PdServer.start(
                                        config(
                                                temp.resolve("other"),
                                                Map.of(
                                                        "client-urls",
                                                        "http://127.0.0.1:" + pd.port()))))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("cannot listen on 127.0.0.1:" + pd.port());
    }

    @Test
    void keepsIdentityAndModeOverARestart() throws IOException {
        Path folder = temp.resolve("restarted");
        long id;
        try (PdServer first =
                PdServer.start(config(folder, Map.of("pd-server.api-version", "1ttl")))) {
            id = first.clusterId();
        }
        try (PdServer again = PdServer.start(config(folder, Map.of()))) {
            assertThat(again.clusterId()).isEqualTo(id);
        }
        assertThatThrownBy(
                        () -> PdServer.start(config(folder, Map.of("pd-server.api-version", "1"))))
                .hasMessageContaining("begun with API mode V1TTL");
    }

    static PdConfig config(Path folder, Map<String, String> more) {
        Map<String, String> all =
                new java.util.HashMap<>(
                        Map.of(
                                "data-dir",
                                folder.toString(),
                                "client-urls",
                                "http://127.0.0.1:0",
                                "schedule.store-timeout",
                                "1h"));
        all.putAll(more);
        return Settings.load(PdConfig.class, null, all);
    }

    private static boolean serving(String key) {
        return region(key).hasLeader();
    }

    private static GetRegionResponse region(String key) {
        return PDGrpc.newBlockingStub(channel)
                .getRegion(
                        GetRegionRequest.newBuilder()
                                .setHeader(header)
                                .setRegionKey(ByteString.copyFromUtf8(key))
                                .build());
    }

    private static io.tidekv.proto.pdpb.GetStoreResponse store(long id) {
        return PDGrpc.newBlockingStub(channel)
                .getStore(GetStoreRequest.newBuilder().setHeader(header).setStoreId(id).build());
    }

    private static TsoRequest tso(int count) {
        return TsoRequest.newBuilder().setHeader(header).setCount(count).build();
    }

    private static HttpResponse<String> http(String method, String path) throws Exception {
        HttpClient client = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
        return client.send(
                HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + pd.port() + path))
                        .method(method, HttpRequest.BodyPublishers.noBody())
                        .build(),
                HttpResponse.BodyHandlers.ofString());
    }
}
