package io.tidekv.cli.playground;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.tidekv.cli.Json;
import io.tidekv.proto.cluster.ClusterStatusResponse;
import io.tidekv.proto.cluster.StoreInfo;
import io.tidekv.proto.cluster.WalNode;
import io.tidekv.proto.region.Owner;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ReadyFileTest {
    @TempDir private Path temp;

    @Test
    void tellsAddressesIdsAndProcesses() throws IOException {
        Plan plan =
                new Plan(
                        new PlaygroundOptions(),
                        temp,
                        ApiVersion.V1,
                        "s3://bucket?access-key=secret");
        Readiness.Ready ready =
                new Readiness.Ready(
                        ClusterStatusResponse.newBuilder().setClusterId(42).build(),
                        List.of(
                                StoreInfo.newBuilder()
                                        .setOwner(Owner.newBuilder().setStoreId(9))
                                        .setAddress("127.0.0.1:20161")
                                        .build()),
                        List.of(
                                WalNode.newBuilder()
                                        .setWalId(4)
                                        .setAddress("127.0.0.1:20190")
                                        .build()));
        Path file = temp.resolve("made/ready.json");
        ReadyFile.write(file, plan, new Pids(), ready);
        JsonNode json = Json.read(Files.readString(file));
        assertThat(json.get("cluster_id").asLong()).isEqualTo(42);
        assertThat(json.get("api_version").asText()).isEqualTo("1");
        assertThat(json.get("pd").toString()).isEqualTo("[\"127.0.0.1:2379\"]");
        assertThat(json.get("pd_pids").toString()).isEqualTo("[4]");
        assertThat(json.at("/compute/1/id").asLong()).isEqualTo(9);
        assertThat(json.at("/compute/1/addr").asText()).isEqualTo("127.0.0.1:20161");
        assertThat(json.at("/compute/1/status").asText()).isEqualTo("127.0.0.1:20181");
        assertThat(json.at("/compute/1/pid").asLong()).isEqualTo(9);
        assertThat(json.at("/compute/1/data_dir").asText())
                .isEqualTo(temp.resolve("compute-2").toString());
        assertThat(json.at("/wal/0/id").asLong()).isEqualTo(4);
        assertThat(json.get("object_store").asText()).doesNotContain("secret");
        assertThat(json.get("log_dir").asText()).isEqualTo(temp.resolve("log").toString());
        try (var files = Files.list(file.getParent())) {
            assertThat(files).as("nothing half-written stays").containsExactly(file);
        }
    }

    /** The process id of a role is the length of its name. */
    private static final class Pids implements RunningCluster {
        @Override
        public long pid(RoleSpec role) {
            return role.name().length();
        }

        @Override
        public String failure() {
            return "";
        }

        @Override
        public void close() {}
    }
}
