package io.tidekv.pd.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidekv.common.config.ConfigException;
import io.tidekv.common.config.HostPort;
import io.tidekv.common.config.Settings;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** What --config-check finds before anything is started. */
class PdConfigTest {
    @Test
    void isALoneNodeByDefault() {
        PdConfig config = Settings.defaults(PdConfig.class);
        Topology topology = Topology.of(config);
        assertThat(topology.listen()).isEqualTo(new HostPort("127.0.0.1", 2379));
        assertThat(topology.peers()).containsOnlyKeys("pd");
        assertThat(topology.advertised(config, 2379)).containsExactly("http://127.0.0.1:2379");
        assertThat(config.replication().voters()).isEqualTo(3);
        assertThat(config.pdServer().apiMode()).isZero();
    }

    @Test
    void readsThreeNodes() {
        PdConfig config =
                load(
                        Map.of(
                                "name", "b",
                                "initial-cluster", "a=http://h1:1,b=http://h2:2/,c=http://h3:3",
                                "client-urls", "http://0.0.0.0:0",
                                "advertise-client-urls", "http://h2:0"));
        Topology topology = Topology.of(config);
        assertThat(topology.peers()).containsEntry("b", new HostPort("h2", 2));
        assertThat(topology.advertised(config, 99)).containsExactly("http://h2:99");
        assertThat(topology.toString()).isEqualTo("a=http://h1:1,b=http://h2:2,c=http://h3:3");
    }

    @Test
    void namesWhatIsWrong() {
        refuses("initial-cluster", "a=http://h:1", "does not list this node");
        refuses("initial-cluster", "pd=http://h:1,b=http://h:2", "one or three nodes, not 2");
        refuses("initial-cluster", "pd=http://h:1,pd=http://h:2", "pd is named twice");
        refuses("initial-cluster", "pd", "expected name=http://host:port");
        refuses("client-urls", "127.0.0.1:2379", "expected http://host:port");
        refuses("client-urls", "https://127.0.0.1:2379", "TLS is not supported yet");
        refuses("client-urls", "http://0.0.0.0:2379", "advertise-client-urls: needed");
        refuses("advertise-client-urls", "nonsense", "advertise-client-urls: expected");
        refuses("pd-server.api-version", "3", "expected \"1\", \"1ttl\" or \"2\"");
        refuses("replication.voters", "2", "expected 1, 3, 5 or 7");
        refuses("schedule.balanse", "false", "did you mean \"schedule.balance\"?");
    }

    private static void refuses(String key, String value, String message) {
        assertThatThrownBy(() -> load(Map.of(key, value)))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining(message);
    }

    private static PdConfig load(Map<String, String> settings) {
        return Settings.load(PdConfig.class, null, settings);
    }
}
