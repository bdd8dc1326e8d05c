package io.tidekv.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.google.protobuf.ByteString;
import io.tidekv.cli.client.FakeCluster;
import io.tidekv.objects.manifest.RecordCodec;
import io.tidekv.objects.store.ObjectStore;
import io.tidekv.objects.store.ObjectStores;
import io.tidekv.proto.manifest.TabletRecord;
import io.tidekv.proto.region.RegionShape;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The commands as a user types them, against a cluster that answers from memory. */
class CommandsTest {
    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private final ByteArrayOutputStream err = new ByteArrayOutputStream();
    private FakeCluster cluster;

    @BeforeEach
    void start() throws IOException {
        cluster = new FakeCluster();
    }

    @AfterEach
    void stop() {
        cluster.close();
    }

    private int run(String line) {
        out.reset();
        err.reset();
        Console console = new Console(new PrintStream(out, true), new PrintStream(err, true));
        return Tidekv.run(console, line.replace("PD", cluster.address()).split(" "));
    }

    private String out() {
        return out.toString(StandardCharsets.UTF_8).strip();
    }

    private String err() {
        return err.toString(StandardCharsets.UTF_8).strip();
    }

    private JsonNode json() {
        return Json.read(out());
    }

    @Test
    void putsAndGets() {
        assertThat(run("put hello world --pd PD")).isZero();
        assertThat(run("get hello --pd PD")).isZero();
        assertThat(out()).isEqualTo("world");
        assertThat(run("get hello nothing --pd PD")).isEqualTo(1);
        assertThat(out()).isEqualTo("world");
        assertThat(err()).isEqualTo("not found: nothing");
        assertThat(run("delete hello --pd PD")).isZero();
        assertThat(run("get hello --pd PD")).isEqualTo(1);
    }

    @Test
    void scansTextAndHex() {
        run("put a 1 --pd PD");
        run("put 6d00 ff --hex --pd PD");
        assertThat(run("scan --pd PD")).isZero();
        assertThat(out().lines()).containsExactly("a\t1", "m\0\t0xff");
        assertThat(run("scan 62 --hex --keys-only --pd PD")).isZero();
        assertThat(out()).isEqualTo("6d00");
        assertThat(run("put x zz --hex --pd PD")).isEqualTo(1);
        assertThat(err()).isEqualTo("tidekv: \"x\" is not hex: use pairs of 0-9 and a-f");
    }

    @Test
    void flagsOfCtlStandBeforeOrBehind() {
        assertThat(run("ctl --pd PD --json store list")).isZero();
        assertThat(json().at("/stores/0/id").asLong()).isEqualTo(5);
        assertThat(run("ctl store list --json --pd PD")).isZero();
        assertThat(json().at("/stores/0/address").asText()).isEqualTo("127.0.0.1:20160");
        assertThat(json().at("/stores/0/state").asText()).isEqualTo("Up");
    }

    @Test
    void showsRegions() {
        assertThat(run("ctl --pd PD region list")).isZero();
        assertThat(out()).contains("6d").contains("3/2").contains("2.0 KiB");
        assertThat(run("ctl --pd PD --json region show 7")).isZero();
        assertThat(json().get("start_key").asText()).isEqualTo("6d");
        assertThat(json().get("end_key").asText()).isEmpty();
        assertThat(json().at("/epoch/version").asLong()).isEqualTo(3);
        assertThat(json().get("owner").asLong()).isEqualTo(5);
        assertThat(json().get("size").asLong()).isEqualTo(2048);
        assertThat(run("ctl --pd PD region show 8")).isEqualTo(1);
        assertThat(err()).startsWith("tidekv: there is no region 8");
    }

    @Test
    void movesAndSplits() {
        assertThat(run("ctl --pd PD region move 7 --to 5")).isZero();
        assertThat(out()).isEqualTo("region 7 is on store 5; gap 12 ms");
        assertThat(run("ctl --pd PD region move 7 --to 6")).isEqualTo(1);
        assertThat(err()).isEqualTo("tidekv: there is no store 6");
        assertThat(run("ctl --pd PD --json region split 7 --key 20")).isZero();
        assertThat(json().get("regions").toString()).isEqualTo("[7,32]");
    }

    @Test
    void statusFailsWhenSomethingIsDown() {
        assertThat(run("ctl --pd PD --json status")).isEqualTo(1);
        assertThat(json().get("healthy").asBoolean()).isFalse();
        assertThat(json().get("api_version").asText()).isEqualTo("1ttl");
        assertThat(json().get("cluster_id").asText()).isEqualTo("18446744073709551614");
        assertThat(run("ctl --pd PD --json wal list")).isZero();
        assertThat(json().at("/wal/0/id").asLong()).isEqualTo(3);
    }

    @Test
    void drainsAndTakesBack() {
        assertThat(run("ctl --pd PD wal drain 3")).isZero();
        assertThat(err().lines())
                .containsExactly(
                        "WAL node 3: voter of 2 regions, 0 changes under way",
                        "WAL node 3: voter of 1 regions, 0 changes under way",
                        "WAL node 3: voter of 0 regions, 0 changes under way");
        assertThat(out()).isEqualTo("WAL node 3 holds no region any more and may be stopped");
        assertThat(run("ctl --pd PD --json wal add 3")).isZero();
        assertThat(json().get("mode").asText()).isEqualTo("in service");
        assertThat(run("ctl --pd PD wal drain 4")).isEqualTo(1);
        assertThat(err()).isEqualTo("tidekv: no WAL node 4");
        assertThat(run("ctl --pd PD wal replace 3")).isEqualTo(2);
        assertThat(run("ctl --pd PD --json store drain 5")).isZero();
        assertThat(json().get("mode").asText()).isEqualTo("draining");
        assertThat(run("ctl --pd PD store add 5")).isZero();
    }

    @Test
    void showsARecordAndChecksTheStore(@TempDir Path objects) {
        TabletRecord record =
                TabletRecord.newBuilder()
                        .setClusterId(7)
                        .setShape(RegionShape.newBuilder().setRegionId(4).setVersion(2))
                        .setApiMode(2)
                        .setTerm(3)
                        .setSequence(1)
                        .setAppliedIndex(9)
                        .setNextFile(5)
                        .build();
        String uri = "file:" + objects;
        try (ObjectStore store = ObjectStores.open(uri)) {
            store.putIfAbsent("7/record/4/3-1-u", RecordCodec.encode(record));
        }
        String show = "ctl record show record/4/3-1-u --cluster 7 --json --object-store ";
        assertThat(run(show + uri)).isZero();
        assertThat(json().get("region").asText()).isEqualTo("4");
        assertThat(json().get("applied_index").asLong()).isEqualTo(9);
        assertThat(json().get("api_version").asText()).isEqualTo("1ttl");
        assertThat(run("sst-uploader scrub --object-store " + uri)).isZero();
        assertThat(out()).startsWith("1 records and 0 objects of 1 regions checked: 0 damaged");
        try (ObjectStore store = ObjectStores.open(uri)) {
            store.putIfAbsent("7/record/4/3-2-u", new byte[9]);
        }
        assertThat(run("sst-uploader scrub --object-store " + uri)).isEqualTo(1);
        assertThat(out()).contains("cluster 7 region 4:", "1 damaged records");
        assertThat(run("ctl record show record/4/3-2-u --cluster 7 --object-store " + uri))
                .isEqualTo(1);
        assertThat(err()).contains("it has only 9 bytes");
        assertThat(run("ctl record show record/4/3-9-u --cluster 7 --object-store " + uri))
                .isEqualTo(1);
        assertThat(err()).isEqualTo("tidekv: there is no record record/4/3-9-u");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "raw-put",
                "raw-get",
                "raw-scan",
                "raw-batch-put",
                "txn-put",
                "txn-put-1pc",
                "txn-get",
                "tso"
            })
    void measures(String workload) {
        int exit =
                run(
                        "bench kv --pd PD --clients 4 --keys 50 --warm-up 0 --duration 0.2 --json --workload "
                                + workload);
        assertThat(err()).isEmpty();
        assertThat(exit).isZero();
        assertThat(json().get("operations").asLong()).isPositive();
        assertThat(json().at("/latency_us/p99").asLong()).isPositive();
        assertThat(json().get("errors").asLong()).isZero();
        assertThat(cluster.data().keySet())
                .allMatch(key -> key.startsWith(ByteString.copyFromUtf8("bench-")));
    }

    @Test
    void saysInOneLineWhatIsWrong() {
        assertThat(run("ctl --pd 127.0.0.1:1 status")).isEqualTo(1);
        assertThat(err()).startsWith("tidekv: no answer").contains("--pd").doesNotContain("\n");
        assertThat(run("bench kv --workload nonsense")).isEqualTo(2);
        assertThat(err()).contains("raw-put").doesNotContain("\n");
        assertThat(run("playground --api-version 3")).isEqualTo(1);
        assertThat(err()).isEqualTo("tidekv: --api-version 3 is unknown: use 1, 1ttl or 2");
        assertThat(run("playground --pd 2")).isEqualTo(1);
        assertThat(err()).isEqualTo("tidekv: --pd 2: use 1 or 3");
        assertThat(run("playground --port-offset 23000 --object-store s4://x")).isEqualTo(1);
        assertThat(err()).startsWith("tidekv: bad object store URI").doesNotContain("\n");
        assertThat(run("wal --config-check --set storage.segment-siz=1MB")).isEqualTo(1);
        assertThat(err()).contains("did you mean \"storage.segment-size\"");
    }

    @Test
    void everyCommandExplainsItself() {
        for (String command : Tidekv.commandLine(Console.system()).getSubcommands().keySet()) {
            assertThat(run(command + " --help")).as(command).isZero();
            assertThat(out()).as(command).contains("Usage: tidekv " + command);
        }
        assertThat(run("--version")).isZero();
        assertThat(out()).startsWith("tidekv ").doesNotContain("unknown").doesNotContain("$");
    }
}
