package io.tidekv.cli.ctl;

import io.tidekv.cli.CliException;
import io.tidekv.cli.Console;
import io.tidekv.cli.Json;
import io.tidekv.common.time.SystemClock;
import io.tidekv.objects.cost.CostEstimate;
import io.tidekv.objects.cost.Prices;
import io.tidekv.objects.cost.Requests;
import io.tidekv.objects.store.Sleeper;
import io.tidekv.proto.cluster.ListStoresRequest;
import io.tidekv.proto.cluster.StoreInfo;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code tidekv ctl cost}. */
@Command(
        name = "cost",
        description =
                "What the object store costs in a month if all goes on as in the next seconds.")
final class CostCommand implements Callable<Integer> {
    /** Requests of clients that change data, by the label of their metric. */
    private static final List<String> WRITES =
            List.of(
                    "raw_put",
                    "raw_batch_put",
                    "raw_delete",
                    "raw_batch_delete",
                    "raw_delete_range",
                    "raw_compare_and_swap",
                    "kv_prewrite");

    @Option(names = "--seconds", defaultValue = "10", description = "How long to look.")
    private int seconds = 10;

    @Option(names = "--put-price", description = "Dollars for 1000 PUT or LIST requests.")
    private double putPrice = Prices.DEFAULT.putsPerThousand();

    @Option(names = "--get-price", description = "Dollars for 1000 GET requests.")
    private double getPrice = Prices.DEFAULT.getsPerThousand();

    @Option(names = "--gb-price", description = "Dollars for a GB-month in the object store.")
    private double gbPrice = Prices.DEFAULT.gbMonth();

    @Option(names = "--gp3-price", description = "Dollars for a GB-month of gp3.")
    private double gp3Price = Prices.DEFAULT.gp3GbMonth();

    @Spec private @Nullable CommandSpec spec;

    private final Console console;
    private final HttpClient http =
            HttpClient.newBuilder().connectTimeout(Duration.ofSeconds(3)).build();

    CostCommand(Console console) {
        this.console = console;
    }

    /** What all stores have counted. */
    private record Sample(Requests requests, long writes, long nanos) {}

    @Override
    public Integer call() throws InterruptedException {
        CtlOptions options = CtlOptions.of(spec);
        List<StoreInfo> stores =
                options.ask(c -> c.listStores(ListStoresRequest.getDefaultInstance()))
                        .getStoresList();
        Sample before = sample(stores);
        Sleeper.real().sleep(Duration.ofSeconds(seconds));
        Sample after = sample(stores);
        long bytes = Regions.all(options).stream().mapToLong(r -> r.getApproximateBytes()).sum();
        Requests seen = after.requests().since(before.requests());
        long writes = Math.max(0, after.writes() - before.writes());
        CostEstimate cost =
                CostEstimate.of(
                        seen,
                        Duration.ofNanos(after.nanos() - before.nanos()),
                        writes,
                        bytes,
                        bytes,
                        new Prices(putPrice, getPrice, gbPrice, gp3Price));
        console.line(
                options.json()
                        ? Json.line(json(seen, writes, bytes, cost))
                        : text(seen, writes, bytes, cost));
        return 0;
    }

    private Sample sample(List<StoreInfo> stores) throws InterruptedException {
        Requests requests = Requests.NONE;
        long writes = 0;
        for (StoreInfo store : stores) {
            if (!store.getState().equals("Up")) {
                continue;
            }
            String metrics = metrics(store.getStatusAddress());
            requests = requests.plus(Requests.parse(metrics));
            for (String type : WRITES) {
                writes +=
                        Requests.value(
                                metrics,
                                "tikv_grpc_msg_duration_seconds_count{type=\"" + type + "\"}");
            }
        }
        return new Sample(requests, writes, SystemClock.INSTANCE.monotonicNanos());
    }

    private String metrics(String address) throws InterruptedException {
        HttpRequest request =
                HttpRequest.newBuilder(URI.create("http://" + address + "/metrics"))
                        .timeout(Duration.ofSeconds(5))
                        .build();
        try {
            return http.send(request, HttpResponse.BodyHandlers.ofString()).body();
        } catch (IOException e) {
            throw new CliException("no metrics from " + address + ": " + e.getMessage(), e);
        }
    }

    private String text(Requests seen, long writes, long bytes, CostEstimate cost) {
        Table table = new Table("IN " + seconds + " S", "", "PER MONTH");
        table.row("PUT and LIST requests", seen.puts() + seen.lists(), "");
        table.row("GET requests", seen.gets(), "");
        table.row("all requests", "", dollars(cost.requestsPerMonth()));
        table.row("stored", Shown.bytes(bytes), dollars(cost.storagePerMonth()));
        table.row("object store", "", dollars(cost.perMonth()));
        table.row("per GB", "", bytes == 0 ? "-" : dollars(cost.perGbMonth()));
        table.row(
                "a million write requests",
                writes + " seen",
                writes == 0 ? "-" : dollars(cost.perMillionWrites()) + " each");
        table.row("the same on three gp3 volumes", "", dollars(cost.gp3PerMonth()));
        return table.toString();
    }

    private static String dollars(double amount) {
        return String.format(Locale.ROOT, "$%.4f", amount);
    }

    private Map<String, Object> json(Requests seen, long writes, long bytes, CostEstimate cost) {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("seconds", seconds);
        json.put("puts", seen.puts());
        json.put("lists", seen.lists());
        json.put("gets", seen.gets());
        json.put("bytes_written", seen.bytesWritten());
        json.put("bytes_read", seen.bytesRead());
        json.put("write_requests", writes);
        json.put("stored_bytes", bytes);
        json.put("requests_dollars_per_month", cost.requestsPerMonth());
        json.put("storage_dollars_per_month", cost.storagePerMonth());
        json.put("dollars_per_month", cost.perMonth());
        json.put("dollars_per_million_writes", cost.perMillionWrites());
        json.put("dollars_per_gb_month", cost.perGbMonth());
        json.put("gp3_dollars_per_month", cost.gp3PerMonth());
        return json;
    }
}
