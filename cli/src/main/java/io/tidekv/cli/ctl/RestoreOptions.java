package io.tidekv.cli.ctl;

import io.tidekv.cli.CliException;
import io.tidekv.objects.restore.Restoration;
import io.tidekv.objects.store.ObjectStore;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** From which cluster's objects a plan for a new cluster is made, and where it is written. */
final class RestoreOptions {
    @Option(
            names = "--cluster",
            paramLabel = "ID",
            description = "Needed when the store has several.")
    private @Nullable String cluster;

    @Option(names = "--plan", paramLabel = "FILE", required = true, description = "To be written.")
    private Path plan = Path.of("restore.plan");

    Path plan() {
        return plan;
    }

    /** The cluster that was named, or the only one in the store. */
    long clusterId(ObjectStore store) {
        Long id =
                cluster == null
                        ? Restoration.onlyCluster(store)
                        : Long.valueOf(Long.parseUnsignedLong(cluster));
        if (id == null) {
            throw new CliException(
                    "the store has no cluster or several: name one with --cluster ID");
        }
        return id;
    }
}
