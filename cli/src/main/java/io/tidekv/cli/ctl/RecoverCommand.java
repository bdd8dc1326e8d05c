package io.tidekv.cli.ctl;

import io.tidekv.cli.CliException;
import io.tidekv.cli.Console;
import io.tidekv.common.Randomness;
import io.tidekv.compute.restore.RestoreWorkshop;
import io.tidekv.objects.restore.Goal;
import io.tidekv.objects.restore.Restoration;
import io.tidekv.objects.store.ObjectStore;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code tidekv ctl recover}. Asks no PD. */
@Command(
        name = "recover",
        description = {
            "Prepare a new cluster from what a lost one has in its object store, when all disks of",
            "its WAL nodes and PD are gone. Writes a file for `tidekv pd --restore-plan`.",
            "What was written after the last publication of a region comes from the archive of the",
            "log. What is not there is lost: see UNTIL."
        })
final class RecoverCommand implements Callable<Integer> {
    @Option(
            names = "--from-object-store",
            required = true,
            description = "Says that nothing else is left.")
    private boolean fromObjectStore;

    @Option(
            names = "--at",
            paramLabel = "TIME",
            description = {
                "Leave out what was committed later: a time as 2026-01-31T12:00:00Z. Needs the",
                "archive of the log, and records from before."
            })
    private @Nullable String at;

    @Option(
            names = "--everything",
            description = {
                "Take all there is, also where a transaction is there in one region and not in",
                "another."
            })
    private boolean everything;

    @Mixin private RestoreOptions restore = new RestoreOptions();

    @Mixin private ObjectsOption objects = new ObjectsOption();

    @Spec private @Nullable CommandSpec spec;

    private final Console console;

    RecoverCommand(Console console) {
        this.console = console;
    }

    private Goal goal() {
        if (everything && at != null) {
            throw new CliException("--at and --everything exclude each other");
        }
        return everything ? Goal.EVERYTHING : RestoreOptions.goal(at);
    }

    @Override
    public Integer call() {
        CtlOptions options = CtlOptions.of(spec);
        if (!fromObjectStore) {
            throw new CliException("only --from-object-store is known: leave its value out");
        }
        try (ObjectStore store = objects.open()) {
            long id = restore.clusterId(store);
            ObjectStore cluster = ObjectsOption.cluster(store, id);
            try (RestoreWorkshop workshop = new RestoreWorkshop(cluster, id)) {
                Restoration made =
                        Restoration.newest(cluster, id, workshop, goal(), Randomness.real());
                RestoreOutput.write(console, options.json(), made, restore.plan());
            }
        }
        return 0;
    }
}
