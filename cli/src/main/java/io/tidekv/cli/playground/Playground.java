package io.tidekv.cli.playground;

import io.tidekv.cli.Console;
import io.tidekv.cli.server.OrderlyEnd;
import io.tidekv.common.log.Logging;
import io.tidekv.common.time.SystemClock;
import io.tidekv.objects.store.ObjectStore;
import io.tidekv.objects.store.ObjectStores;
import io.tidekv.proto.cluster.RegionInfo;
import java.io.IOException;
import java.nio.file.Files;
import java.util.Locale;

/** The life of a playground, from checks to the end. */
final class Playground {
    private final Console console;
    private final PlaygroundOptions options;

    Playground(Console console, PlaygroundOptions options) {
        this.console = console;
        this.options = options;
    }

    /** Runs until the end is asked for. */
    void run(OrderlyEnd end) throws IOException {
        run(end, false);
    }

    /** Ends as soon as the cluster is ready. */
    void rehearse(OrderlyEnd end) throws IOException {
        run(end, true);
    }

    private void run(OrderlyEnd end, boolean rehearsal) throws IOException {
        if (options.apiVersion != null) {
            ApiVersion.parse(options.apiVersion);
        }
        Checks.descriptorsSuffice();
        try (DataFolder folder = DataFolder.open(options.dataDir, options.keep)) {
            Checks.diskHasRoom(folder.path());
            ApiVersion mode = folder.mode(options.apiVersion);
            String objectStore =
                    options.objectStore == null
                            ? "file:" + folder.path().resolve("objects")
                            : options.objectStore;
            Plan plan = new Plan(options, folder.path(), mode, objectStore);
            Checks.portsAreFree(plan.addresses());
            probe(objectStore);
            folder.claim(options, mode, objectStore);
            Files.createDirectories(plan.logDir());
            if (!options.processes) {
                Logging.toFile(plan.logDir().resolve("tidekv.log"), false);
            }
            serve(plan, folder.deletedAtEnd(), end, rehearsal);
        }
    }

    private void warn(RegionInfo region) {
        console.line("");
        console.line(
                "DAMAGED: region "
                        + region.getShape().getRegionId()
                        + " cannot be opened, its keys are not served: "
                        + region.getError());
    }

    /** A wrong address or wrong credentials show here and not in some log. */
    private static void probe(String objectStore) {
        try (ObjectStore store = ObjectStores.open(objectStore)) {
            ObjectStores.probe(store);
        }
    }

    private void serve(Plan plan, boolean deletedAtEnd, OrderlyEnd end, boolean rehearsal)
            throws IOException {
        Progress progress = new Progress(console, SystemClock.INSTANCE);
        progress.line("starting " + plan.roles().size() + " roles, log in " + plan.logDir());
        try (RunningCluster cluster =
                options.processes
                        ? ManyProcesses.start(plan, progress)
                        : OneProcess.start(plan, progress)) {
            Readiness.Ready ready = new Readiness(plan, cluster, progress).await(end);
            if (ready != null) {
                progress.line(String.format(Locale.ROOT, "ready after %.1f s", progress.seconds()));
                if (options.readyFile != null) {
                    ReadyFile.write(options.readyFile, plan, cluster, ready);
                }
                Greeting.print(console, plan, deletedAtEnd);
                ready.status().getDamagedList().forEach(this::warn);
                if (!rehearsal) {
                    end.await();
                }
            }
            console.note("stopping ...");
        }
        if (options.readyFile != null) {
            Files.deleteIfExists(options.readyFile);
        }
        console.note("stopped");
    }
}
