package io.tidekv.cli.ctl;

import io.tidekv.cli.CliException;
import io.tidekv.objects.restore.Goal;
import io.tidekv.objects.store.ObjectStore;
import java.nio.file.Path;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import org.jspecify.annotations.Nullable;
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

    /** The value of an option {@code --at}, if it was given. */
    static Goal goal(@Nullable String time) {
        if (time == null) {
            return Goal.LATEST;
        }
        try {
            return Goal.at(Instant.parse(time).toEpochMilli());
        } catch (DateTimeParseException e) {
            throw new CliException("--at " + time + ": use a time as 2026-01-31T12:00:00Z");
        }
    }

    /** The cluster that was named, or the only one in the store. */
    long clusterId(ObjectStore store) {
        return cluster.id(store);
    }
}
