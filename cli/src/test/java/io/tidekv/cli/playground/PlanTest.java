package io.tidekv.cli.playground;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidekv.cli.CliException;
import io.tidekv.cli.server.RoleKind;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;

class PlanTest {
    private final PlaygroundOptions options = new PlaygroundOptions();

    private Plan plan() {
        return new Plan(options, Path.of("/data"), ApiVersion.V1TTL, "file:/data/objects");
    }

    @Test
    void hasTheUsualPorts() {
        assertThat(plan().addresses().keySet())
                .containsExactly(
                        "127.0.0.1:2379",
                        "127.0.0.1:2380",
                        "127.0.0.1:20190",
                        "127.0.0.1:20200",
                        "127.0.0.1:20191",
                        "127.0.0.1:20201",
                        "127.0.0.1:20192",
                        "127.0.0.1:20202",
                        "127.0.0.1:20160",
                        "127.0.0.1:20180",
                        "127.0.0.1:20161",
                        "127.0.0.1:20181");
    }

    @Test
    void theOffsetShiftsThemAll() {
        options.portOffset = 1000;
        assertThat(plan().pdEndpoints()).isEqualTo("127.0.0.1:3379");
        assertThat(plan().addresses().keySet()).noneMatch(a -> a.endsWith(":20160"));
        options.portOffset = 50_000;
        assertThatThrownBy(this::plan).isInstanceOf(CliException.class);
    }

    @Test
    void settingsFitTheRoles() {
        options.pd = 3;
        for (RoleSpec role : plan().roles()) {
            assertThat(role.kind().load(null, role.settings())).as(role.name()).isNotNull();
        }
        assertThat(plan().roles(RoleKind.COMPUTE).get(0).settings())
                .containsEntry("storage.enable-ttl", "true")
                .containsEntry("storage.api-version", "1");
        assertThat(plan().pdEndpoints()).isEqualTo("127.0.0.1:2379,127.0.0.1:2381,127.0.0.1:2383");
    }

    @Test
    void aTakenPortIsNamed() throws IOException {
        try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getByName("127.0.0.1"))) {
            String address = "127.0.0.1:" + taken.getLocalPort();
            assertThatThrownBy(() -> Checks.portsAreFree(Map.of(address, "pd-1")))
                    .isInstanceOf(CliException.class)
                    .hasMessageContaining("port " + taken.getLocalPort())
                    .hasMessageContaining("--port-offset");
        }
    }
}
