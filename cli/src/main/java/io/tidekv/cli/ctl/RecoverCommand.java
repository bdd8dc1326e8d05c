package io.tidekv.cli.ctl;

import io.tidekv.cli.CliException;
import io.tidekv.cli.Console;
import io.tidekv.common.Randomness;
import io.tidekv.objects.restore.Restoration;
import io.tidekv.objects.store.ObjectStore;
import java.nio.file.Path;
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
            "What was written after the last publication of a region is lost: see UNTIL."
        })
final class RecoverCommand implements Callable<Integer> {
    @Option(
            names = "--from-object-store",
            required = true,
            description = "Says that nothing else is left.")
    private boolean fromObjectStore;

    @Option(
            names = "--cluster",
            paramLabel = "ID",
            description = "Needed when the store has several.")
    private @Nullable String cluster;

    @Option(names = "--plan", paramLabel = "FILE", required = true, description = "To be written.")
    private Path plan = Path.of("restore.plan");

    @Mixin private ObjectsOption objects = new ObjectsOption();

    @Spec private @Nullable CommandSpec spec;

    private final Console console;

    RecoverCommand(Console console) {
        this.console = console;
    }

    @Override
    public Integer call() {
        CtlOptions options = CtlOptions.of(spec);
        if (!fromObjectStore) {
            throw new CliException("only --from-object-store is known: leave its value out");
        }
        try (ObjectStore store = objects.open()) {
            Long id =
                    cluster == null
                            ? Restoration.onlyCluster(store)
                            : Long.valueOf(Long.parseUnsignedLong(cluster));
            if (id == null) {
                throw new CliException(
                        "the store has no cluster or several: name one with --cluster ID");
            }
            Restoration made =
                    Restoration.newest(ObjectsOption.cluster(store, id), id, Randomness.real());
            RestoreOutput.write(console, options.json(), made, plan);
        }
        return 0;
    }
}
