package io.tidekv.cli.ctl;

import io.tidekv.cli.Console;
import io.tidekv.compute.restore.RestoreWorkshop;
import io.tidekv.objects.backup.BackupSet;
import io.tidekv.objects.restore.Goal;
import io.tidekv.objects.restore.Restoration;
import io.tidekv.objects.store.ObjectStore;
import io.tidekv.objects.store.StoreContext;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code tidekv ctl backup restore}. Asks no PD. */
@Command(
        name = "restore",
        description = {
            "Prepare a new cluster from a backup: in place of the one that made it, which must not",
            "run any more, or beside it. Writes a file for `tidekv pd --restore-plan`; copies",
            "nothing."
        })
final class BackupRestoreCommand implements Callable<Integer> {
    @Parameters(paramLabel = "NAME")
    private String name = "";

    @Option(
            names = "--at",
            paramLabel = "TIME",
            description = {
                "Go on from the backup to a time as 2026-01-31T12:00:00Z. Needs the archive of the",
                "log."
            })
    private @Nullable String at;

    @Option(
            names = "--to-cluster",
            paramLabel = "NEW",
            description = {
                "A name for a cluster beside the one that made the backup, which goes on: a branch",
                "(see `tidekv ctl branch`)."
            })
    private @Nullable String toCluster;

    @Mixin private RestoreOptions restore = new RestoreOptions();

    @Mixin private ObjectsOption objects = new ObjectsOption();

    @Spec private @Nullable CommandSpec spec;

    private final Console console;

    BackupRestoreCommand(Console console) {
        this.console = console;
    }

    @Override
    public Integer call() {
        CtlOptions options = CtlOptions.of(spec);
        Goal goal = RestoreOptions.goal(at);
        StoreContext context = StoreContext.system();
        try (ObjectStore store = objects.open()) {
            long id = restore.clusterId(store);
            NewCluster beside = new NewCluster(store, id, context);
            if (toCluster != null) {
                Restoration made = beside.make(toCluster, beside.of(name), goal);
                RestoreOutput.writeBranch(console, options.json(), made, restore.plan());
                return 0;
            }
            BackupSet backup = beside.find(name);
            ObjectStore cluster = ObjectsOption.cluster(store, id);
            try (RestoreWorkshop workshop = new RestoreWorkshop(cluster, id)) {
                Restoration made =
                        Restoration.of(cluster, backup, workshop, goal, context.randomness());
                RestoreOutput.write(console, options.json(), made, restore.plan());
            }
        }
        return 0;
    }
}
