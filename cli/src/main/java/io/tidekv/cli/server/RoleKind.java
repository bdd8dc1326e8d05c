package io.tidekv.cli.server;

import io.tidekv.common.config.Settings;
import io.tidekv.compute.compaction.CompactionWorker;
import io.tidekv.compute.server.ComputeConfig;
import io.tidekv.compute.server.ComputeServer;
import io.tidekv.objects.store.StoreContext;
import io.tidekv.objects.worker.WorkerConfig;
import io.tidekv.objects.worker.WorkerServer;
import io.tidekv.pd.server.PdConfig;
import io.tidekv.pd.server.PdServer;
import io.tidekv.wal.server.WalConfig;
import io.tidekv.wal.server.WalServer;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/** The kinds of process of a cluster. */
public enum RoleKind {
    PD("pd", PdConfig.class),
    WAL("wal", WalConfig.class),
    COMPUTE("compute", ComputeConfig.class),
    SST_UPLOADER("sst-uploader", WorkerConfig.class);

    private final String command;
    private final Class<? extends Record> settings;

    RoleKind(String command, Class<? extends Record> settings) {
        this.command = command;
        this.settings = settings;
    }

    /** Name of the subcommand that starts it. */
    public String command() {
        return command;
    }

    Class<? extends Record> settings() {
        return settings;
    }

    /** Its settings from the file, when there is one, and over it the values by dotted key. */
    public Record load(@Nullable Path file, Map<String, String> overrides) {
        return Settings.load(settings, file, overrides);
    }

    /** Starts it and returns when its ports answer. */
    public RunningRole start(Record loaded) throws IOException {
        return switch (this) {
            case PD -> pd((PdConfig) loaded);
            case WAL -> wal((WalConfig) loaded);
            case COMPUTE -> compute((ComputeConfig) loaded);
            case SST_UPLOADER -> worker((WorkerConfig) loaded);
        };
    }

    private static RunningRole pd(PdConfig config) throws IOException {
        PdServer server = PdServer.start(config);
        String address = hostOf(config.clientUrls()) + ":" + server.port();
        return new Started(0, address, address, never(), server);
    }

    private static RunningRole wal(WalConfig config) throws IOException {
        WalServer server = WalServer.start(config);
        String host = config.addr().host();
        int statusPort = server.statusPort();
        return new Started(
                server.walId(),
                host + ":" + server.port(),
                statusPort == 0 ? "" : host + ":" + statusPort,
                never(),
                server);
    }

    private static RunningRole compute(ComputeConfig config) throws IOException {
        ComputeServer server = ComputeServer.start(config);
        return new Started(
                server.storeId(), server.address(), server.statusAddress(), server.ended(), server);
    }

    private static CompletableFuture<String> never() {
        return new CompletableFuture<>();
    }

    private static RunningRole worker(WorkerConfig config) throws IOException {
        WorkerServer server = WorkerServer.start(config);
        String address =
                config.statusAddr().isEmpty()
                        ? "no port"
                        : hostOf(config.statusAddr()) + ":" + server.statusPort();
        return new Started(0, address, address, never(), withCompactions(config, server));
    }

    /** The worker compacts in tablets, which the other half of it knows nothing of. */
    private static AutoCloseable withCompactions(WorkerConfig config, WorkerServer server) {
        if (!config.compacts()) {
            return server;
        }
        CompactionWorker compactions =
                CompactionWorker.start(
                        server.store(),
                        config,
                        server.timers(),
                        StoreContext.system(),
                        server.metrics());
        return () -> {
            compactions.close();
            server.close();
        };
    }

    /** "http://127.0.0.1:2379,…" → "127.0.0.1". */
    private static String hostOf(String urls) {
        String first = urls.split(",", 2)[0].strip();
        String address = first.substring(first.indexOf("://") < 0 ? 0 : first.indexOf("://") + 3);
        return address.substring(0, address.lastIndexOf(':'));
    }

    private record Started(
            long id,
            String address,
            String statusAddress,
            CompletableFuture<String> ended,
            AutoCloseable server)
            implements RunningRole {
        @Override
        public void close() {
            try {
                server.close();
            } catch (RuntimeException e) {
                throw e;
            } catch (Exception e) {
                throw new IllegalStateException("could not end in order: " + e.getMessage(), e);
            }
        }
    }
}
