package io.tidekv.cli.ctl;

import io.tidekv.cli.CliException;
import io.tidekv.cli.Console;
import io.tidekv.common.Randomness;
import io.tidekv.compute.restore.RestoreWorkshop;
import io.tidekv.objects.backup.BackupSet;
import io.tidekv.objects.backup.Backups;
import io.tidekv.objects.restore.Goal;
import io.tidekv.objects.restore.Restoration;
import io.tidekv.objects.store.ObjectStore;
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
            "Prepare a new cluster from a backup, in place of the one that made it, which must not",
            "run any more. Writes a file for `tidekv pd --restore-plan`; copies nothing."
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

    @Mixin private RestoreOptions restore = new RestoreOptions();

    @Mixin private ObjectsOption objects = new ObjectsOption();

    @Spec private @Nullable CommandSpec spec;

    private final Console console;

    BackupRestoreCommand(Console console) {
        this.console = console;
    }

    private Goal goal() {
        String time = at;
        return time == null ? Goal.LATEST : RestoreOptions.at(time);
    }

    @Override
    public Integer call() {
        CtlOptions options = CtlOptions.of(spec);
        try (ObjectStore store = objects.open()) {
            long id = restore.clusterId(store);
            ObjectStore objectsOf = ObjectsOption.cluster(store, id);
            BackupSet backup = new Backups(objectsOf, Randomness.real()).find(name);
            if (backup == null || backup.isBranch()) {
                throw new CliException("there is no backup " + name);
            }
            try (RestoreWorkshop workshop = new RestoreWorkshop(objectsOf, id)) {
                Restoration made =
                        Restoration.of(objectsOf, backup, workshop, goal(), Randomness.real());
                RestoreOutput.write(console, options.json(), made, restore.plan());
            }
        }
        return 0;
    }
}
