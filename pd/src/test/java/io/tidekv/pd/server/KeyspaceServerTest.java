package io.tidekv.pd.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.ManagedChannel;
import io.tidekv.common.grpc.GrpcTransports;
import io.tidekv.proto.keyspacepb.GetAllKeyspacesRequest;
import io.tidekv.proto.keyspacepb.KeyspaceGrpc;
import io.tidekv.proto.keyspacepb.KeyspaceGrpc.KeyspaceBlockingStub;
import io.tidekv.proto.keyspacepb.KeyspaceState;
import io.tidekv.proto.keyspacepb.LoadKeyspaceByIDRequest;
import io.tidekv.proto.keyspacepb.LoadKeyspaceRequest;
import io.tidekv.proto.keyspacepb.UpdateKeyspaceStateRequest;
import io.tidekv.proto.keyspacepb.UpdateKeyspaceStateResponse;
import io.tidekv.proto.keyspacepb.WatchKeyspacesRequest;
import io.tidekv.proto.keyspacepb.WatchKeyspacesResponse;
import io.tidekv.proto.pdpb.ErrorType;
import io.tidekv.proto.pdpb.RequestHeader;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The life of a keyspace as a real PD answered. */
class KeyspaceServerTest {
    private static final String ROOT = "/pd/api/v2/keyspaces";

    @TempDir Path folder;

    private final HttpClient client =
            HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
    private PdServer pd;
    private ManagedChannel channel;
    private RequestHeader header;

    @BeforeEach
    void start() throws Exception {
        pd = PdServer.start(PdServerTest.config(folder, Map.of()));
        channel = GrpcTransports.channel("127.0.0.1:" + pd.port()).build();
        header = RequestHeader.newBuilder().setClusterId(pd.clusterId()).build();
    }

    @AfterEach
    void stop() {
        channel.shutdownNow();
        pd.close();
    }

    private HttpResponse<String> http(String method, String path, String body) throws Exception {
        return client.send(
                HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + pd.port() + path))
                        .method(method, HttpRequest.BodyPublishers.ofString(body))
                        .build(),
                HttpResponse.BodyHandlers.ofString());
    }

    private KeyspaceBlockingStub keyspaces() {
        return KeyspaceGrpc.newBlockingStub(channel).withDeadlineAfter(60, TimeUnit.SECONDS);
    }

    private UpdateKeyspaceStateResponse update(int id, KeyspaceState state) {
        return keyspaces()
                .updateKeyspaceState(
                        UpdateKeyspaceStateRequest.newBuilder()
                                .setHeader(header)
                                .setId(id)
                                .setState(state)
                                .build());
    }

    @Test
    void aKeyspaceIsMadeFoundAndLedThroughItsStates() throws Exception {
        Iterator<WatchKeyspacesResponse> watch =
                keyspaces()
                        .watchKeyspaces(
                                WatchKeyspacesRequest.newBuilder().setHeader(header).build());
        assertThat(watch.next().getKeyspaces(0).getName()).isEqualTo("DEFAULT");
        HttpResponse<String> made =
                http("POST", ROOT, "{\"name\": \"ks_life\", \"config\": {\"a\": \"b\"}}");
        assertThat(made.statusCode()).isEqualTo(200);
        assertThat(made.body()).contains("\"name\" : \"ks_life\"", "\"state\" : \"ENABLED\"");
        assertThat(watch.next().getKeyspaces(0).getName()).isEqualTo("ks_life");
        LoadKeyspaceRequest byName =
                LoadKeyspaceRequest.newBuilder().setHeader(header).setName("ks_life").build();
        int id = keyspaces().loadKeyspace(byName).getKeyspace().getId();
        LoadKeyspaceByIDRequest byId =
                LoadKeyspaceByIDRequest.newBuilder().setHeader(header).setId(id).build();
        assertThat(keyspaces().loadKeyspaceByID(byId).getKeyspace().getName()).isEqualTo("ks_life");
        assertThat(
                        keyspaces()
                                .getAllKeyspaces(
                                        GetAllKeyspacesRequest.newBuilder()
                                                .setHeader(header)
                                                .build())
                                .getKeyspacesCount())
                .isEqualTo(2);
        assertThat(update(id, KeyspaceState.DISABLED).getKeyspace().getState())
                .isEqualTo(KeyspaceState.DISABLED);
        assertThat(watch.next().getKeyspaces(0).getState()).isEqualTo(KeyspaceState.DISABLED);
        assertThat(update(id, KeyspaceState.TOMBSTONE).getHeader().getError())
                .matches(e -> e.getType() == ErrorType.UNKNOWN)
                .matches(e -> e.getMessage().contains("from DISABLED to TOMBSTONE"));
        assertThat(update(0, KeyspaceState.DISABLED).getHeader().getError().getMessage())
                .contains("ErrModifyDefaultKeyspace");
        assertThat(update(999, KeyspaceState.DISABLED).getHeader().getError().getType())
                .isEqualTo(ErrorType.ENTRY_NOT_FOUND);
    }

    @Test
    void pagesAnswerAsPdDoes() throws Exception {
        http("POST", ROOT, "{\"name\": \"one\"}");
        http("POST", ROOT, "{\"name\": \"two\"}");
        HttpResponse<String> again = http("POST", ROOT, "{\"name\": \"one\"}");
        assertThat(again.statusCode()).isEqualTo(500);
        assertThat(again.body()).contains("[PD:keyspace:ErrKeyspaceExists]");
        assertThat(http("POST", ROOT, "{\"name\": \"bad name !\"}").body())
                .contains("illegal keyspace name bad name !");
        assertThat(http("POST", ROOT, "no json").statusCode()).isEqualTo(400);
        assertThat(http("GET", ROOT + "/nosuch", "").statusCode()).isEqualTo(500);
        assertThat(http("GET", ROOT + "/DEFAULT", "").body()).contains("\"id\" : 0");
        assertThat(http("GET", ROOT + "/id/2", "").body()).contains("\"two\"");
        HttpResponse<String> page = http("GET", ROOT + "?limit=2", "");
        assertThat(page.body()).contains("DEFAULT", "\"one\"", "\"next_page_token\" : \"2\"");
        assertThat(page.body()).doesNotContain("\"two\"");
        assertThat(http("GET", ROOT + "?limit=2&page_token=2", "").body())
                .contains("\"two\"", "\"next_page_token\" : \"\"");
        assertThat(http("PATCH", ROOT + "/one/config", "{\"config\": {\"x\": \"y\"}}").body())
                .contains("\"x\" : \"y\"");
        assertThat(http("PUT", ROOT + "/one/state", "{\"state\": \"disabled\"}").body())
                .contains("\"DISABLED\"");
        assertThat(http("PUT", ROOT + "/one/state", "{\"state\": \"odd\"}").statusCode())
                .isEqualTo(400);
        assertThat(http("PUT", ROOT + "/nosuch/state", "{\"state\": \"enabled\"}").statusCode())
                .isEqualTo(500);
    }
}
