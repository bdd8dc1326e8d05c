package io.tidekv.cli.ctl;

import io.tidekv.objects.store.ObjectStore;
import java.nio.file.Path;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** From which cluster's objects a plan for a new cluster is made, and where it is written. */
final class RestoreOptions {
    @Mixin private ClusterOption cluster = new ClusterOption();

    @Option(names = "--plan", paramLabel = "FILE", required = true, description = "To be written.")
    private Path plan = Path.of("restore.plan");

    Path plan() {
        return plan;
    }

    /** The cluster that was named, or the only one in the store. */
    long clusterId(ObjectStore store) {
        return cluster.id(store);
    }
}
