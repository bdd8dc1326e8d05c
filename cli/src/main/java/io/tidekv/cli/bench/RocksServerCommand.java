package io.tidekv.cli.bench;

import io.grpc.Server;
import io.tidekv.cli.Console;
import io.tidekv.common.config.HostPort;
import io.tidekv.common.grpc.GrpcTransports;
import io.tidekv.compute.tablet.rocks.PlainRocks;
import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/**
 * {@code tidekv bench rocks-server}: raw gets and puts of a RocksDB behind gRPC, and a PD that
 * leads every key there. Started by {@code bench rocks}.
 */
@Command(name = "rocks-server", hidden = true, description = "A RocksDB behind gRPC.")
final class RocksServerCommand implements Callable<Integer> {
    @Option(names = "--parent", required = true, description = "End when this process is gone.")
    private long parent;

    @Option(names = "--dir", required = true, description = "An empty folder for the data.")
    private Path folder = Path.of("");

    @Option(names = "--synced", description = "With RocksDB's log, synced for each batch.")
    private boolean synced;

    private final Console console;

    RocksServerCommand(Console console) {
        this.console = console;
    }

    @Override
    public Integer call() throws IOException, InterruptedException {
        try (PlainRocks rocks = PlainRocks.open(folder, synced)) {
            RocksPd pd = new RocksPd();
            Server server =
                    GrpcTransports.unwaitingServer(HostPort.parse("127.0.0.1:0"))
                            .addService(pd)
                            .addService(new RocksService(rocks))
                            .build()
                            .start();
            String address = "127.0.0.1:" + server.getPort();
            pd.serveAt(address);
            console.note("rocks serves at " + address);
            while (ProcessHandle.of(parent).isPresent()) {
                if (server.awaitTermination(1, TimeUnit.SECONDS)) {
                    break;
                }
            }
            server.shutdownNow().awaitTermination();
            return 0;
        }
    }
}
