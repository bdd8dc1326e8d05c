package io.tidekv.compute.grpc;

import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.MethodDescriptor;
import io.grpc.ServerServiceDefinition;
import io.grpc.ServiceDescriptor;
import io.tidekv.common.metrics.Metrics;
import io.tidekv.common.time.ManualClock;
import io.tidekv.common.time.ThreadScheduler;
import io.tidekv.compute.engine.ApiMode;
import io.tidekv.compute.service.KvCore;
import io.tidekv.compute.service.KvSettings;
import io.tidekv.compute.service.MemoryRegions;
import io.tidekv.proto.debugpb.DebugGrpc;
import io.tidekv.proto.kvrpcpb.Context;
import io.tidekv.proto.tikvpb.BatchCommandsRequest.Request.CmdCase;
import io.tidekv.proto.tikvpb.BatchCommandsResponse.Response;
import io.tidekv.proto.tikvpb.TikvGrpc;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** docs/compatibility.md has a row for each RPC and each option, and its rows are true. */
class CompatibilityDocTest {
    private final ThreadScheduler timers = new ThreadScheduler("test-timers");
    private final KvCore core =
            new KvCore(
                    new MemoryRegions(7, 1),
                    () -> CompletableFuture.completedFuture(1L),
                    KvSettings.of(ApiMode.V1),
                    new ManualClock(),
                    timers);

    @AfterEach
    void close() {
        core.close();
        timers.close();
    }

    @Test
    void aRowForEachRpcOfTheStoreThatSaysWhetherItIsServed() throws IOException {
        Map<String, List<String>> rows = table("tikvpb.Tikv");
        assertThat(rows.keySet())
                .containsExactlyInAnyOrderElementsOf(names(TikvGrpc.getServiceDescriptor()));
        CommandTable table = new CommandTable(core);
        InFlight inFlight = new InFlight(1 << 20);
        Gate gate =
                new Gate(7, inFlight, new ManualClock(), new KvMetrics(new Metrics(), inFlight));
        Set<String> served =
                names(new TikvService(table, gate, 1 << 20, () -> Runnable::run).bindService());
        rows.forEach(
                (rpc, cells) ->
                        assertThat(cells.get(0).startsWith("yes"))
                                .as("%s: served? the row says %s", rpc, cells.get(0))
                                .isEqualTo(served.contains(rpc)));
    }

    @Test
    void aRowForEachKindOfBatchCommands() throws IOException {
        Map<String, List<String>> rows = table("BatchCommands");
        CommandTable table = new CommandTable(core);
        for (CmdCase kind : CmdCase.values()) {
            if (kind == CmdCase.CMD_NOT_SET) {
                continue;
            }
            String row =
                    rows.keySet().stream()
                            .filter(name -> name.toUpperCase(Locale.ROOT).equals(kind.name()))
                            .findFirst()
                            .orElse("");
            assertThat(row).as("a row for %s", kind).isNotEmpty();
            boolean served = table.batched().containsKey(kind) || kind == CmdCase.EMPTY;
            assertThat(rows.get(row).get(0).startsWith("yes")).as(row).isEqualTo(served);
            if (!served) {
                Response declined = DeclinedKinds.answer(kind);
                assertThat(declined.getCmdCase().name()).isEqualTo(kind.name());
                assertThat(declined.toString()).as("no success").contains("does not serve");
            }
        }
    }

    @Test
    void aRowForEachRpcOfTheDebugService() throws IOException {
        assertThat(table("debugpb.Debug").keySet())
                .containsExactlyInAnyOrderElementsOf(names(DebugGrpc.getServiceDescriptor()));
    }

    @Test
    void aRowForEachFieldOfAContext() throws IOException {
        Set<String> fields =
                Context.getDescriptor().getFields().stream()
                        .map(field -> field.getName())
                        .collect(Collectors.toCollection(TreeSet::new));
        assertThat(table("Context").keySet()).containsExactlyInAnyOrderElementsOf(fields);
    }

    private static Set<String> names(ServiceDescriptor service) {
        return service.getMethods().stream()
                .map(MethodDescriptor::getBareMethodName)
                .collect(Collectors.toCollection(TreeSet::new));
    }

    private static Set<String> names(ServerServiceDefinition service) {
        return service.getMethods().stream()
                .map(method -> method.getMethodDescriptor().getBareMethodName())
                .collect(Collectors.toCollection(TreeSet::new));
    }

    /** Rows of the tables under the heading that ends with {@code title}: name to other cells. */
    private static Map<String, List<String>> table(String title) throws IOException {
        Map<String, List<String>> rows = new LinkedHashMap<>();
        boolean inside = false;
        for (String line : Files.readAllLines(document())) {
            if (line.startsWith("#")) {
                inside = line.endsWith(title);
            } else if (inside && line.startsWith("| `")) {
                List<String> cells = new ArrayList<>();
                for (String cell : line.substring(1, line.length() - 1).split("\\|", -1)) {
                    cells.add(cell.strip());
                }
                for (String name : cells.get(0).split(",", -1)) {
                    List<String> before =
                            rows.put(name.strip().replace("`", ""), cells.subList(1, cells.size()));
                    assertThat(before).as("two rows for %s", name).isNull();
                }
            }
        }
        assertThat(rows).as("a table under %s", title).isNotEmpty();
        return rows;
    }

    private static Path document() {
        Path at = Path.of("").toAbsolutePath();
        while (at != null && !Files.exists(at.resolve("docs/compatibility.md"))) {
            at = at.getParent();
        }
        assertThat(at).as("the repository").isNotNull();
        return at.resolve("docs/compatibility.md");
    }
}
