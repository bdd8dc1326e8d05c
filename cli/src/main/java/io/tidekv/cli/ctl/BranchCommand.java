package io.tidekv.cli.ctl;

import io.tidekv.cli.CliException;
import io.tidekv.cli.Console;
import io.tidekv.cli.Json;
import io.tidekv.objects.backup.BackupSet;
import io.tidekv.objects.backup.Branches;
import io.tidekv.objects.backup.CutSource;
import io.tidekv.objects.backup.PdOwners;
import io.tidekv.objects.gc.CollectionStopped;
import io.tidekv.objects.gc.PdRoots;
import io.tidekv.objects.restore.Restoration;
import io.tidekv.objects.store.ObjectStore;
import io.tidekv.objects.store.StoreContext;
import java.nio.file.Path;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code tidekv ctl branch}. */
@Command(
        name = "branch",
        description = "New clusters beside this one, which begin with what it has.",
        subcommands = {
            BranchCommand.Create.class,
            BranchCommand.ListBranches.class,
            BranchCommand.Delete.class,
        })
final class BranchCommand implements Runnable {
    @Spec private @Nullable CommandSpec spec;

    @Override
    public void run() {
        Usage.show(spec);
    }

    private static Branches branches(ObjectStore store, long clusterId) {
        return new Branches(store, clusterId, StoreContext.system());
    }

    /** {@code tidekv ctl branch create}. */
    @Command(
            name = "create",
            description = {
                "Prepare a new cluster that begins with what this one has now, or had in a backup,",
                "and writes for itself. Writes a file for `tidekv pd --restore-plan`; copies nothing."
            })
    static final class Create implements Callable<Integer> {
        @Parameters(paramLabel = "NAME")
        private String name = "";

        @Option(
                names = "--plan",
                paramLabel = "FILE",
                required = true,
                description = "To be written.")
        private Path plan = Path.of("branch.plan");

        @Option(
                names = "--from",
                paramLabel = "BACKUP",
                description = "Begin with a backup, not with what there is now.")
        private @Nullable String from;

        @Option(
                names = "--at",
                paramLabel = "TIME",
                description = {
                    "Go on from the backup to a time as 2026-01-31T12:00:00Z. Needs the archive of",
                    "the log."
                })
        private @Nullable String at;

        @Mixin private MomentOption moment = new MomentOption();

        @Mixin private ObjectsOption objects = new ObjectsOption();

        @Spec private @Nullable CommandSpec spec;

        private final Console console;

        Create(Console console) {
            this.console = console;
        }

        @Override
        public Integer call() {
            CtlOptions options = CtlOptions.of(spec);
            if (at != null && from == null) {
                throw new CliException("--at goes on from a backup: name it with --from BACKUP");
            }
            StoreContext context = StoreContext.system();
            try (PdOwners owners = new PdOwners(options.pd(), context.randomness());
                    ObjectStore store = objects.open()) {
                long parentId = owners.clusterId();
                NewCluster branch = new NewCluster(store, parentId, context);
                CutSource source =
                        from == null ? moment.cut(owners, context, console) : branch.of(from);
                Restoration made = branch.make(name, source, RestoreOptions.goal(at));
                RestoreOutput.writeBranch(console, options.json(), made, plan);
            }
            return 0;
        }
    }

    /** {@code tidekv ctl branch list}. */
    @Command(name = "list", description = "List the branches of this cluster.")
    static final class ListBranches implements Callable<Integer> {
        @Mixin private ObjectsOption objects = new ObjectsOption();

        @Spec private @Nullable CommandSpec spec;

        private final Console console;

        ListBranches(Console console) {
            this.console = console;
        }

        @Override
        public Integer call() {
            CtlOptions options = CtlOptions.of(spec);
            long clusterId = new PdRoots(options.pd()).clusterId();
            try (ObjectStore store = objects.open()) {
                List<BackupSet> all = branches(store, clusterId).list();
                if (options.json()) {
                    console.line(
                            Json.line(
                                    Map.of(
                                            "branches",
                                            all.stream().map(ListBranches::json).toList())));
                } else {
                    Table table = new Table("NAME", "CLUSTER", "AS OF", "REGIONS", "SIZE");
                    all.forEach(
                            set ->
                                    table.row(
                                            set.name(),
                                            Long.toUnsignedString(set.branchId()),
                                            Instant.ofEpochMilli(set.atMillis()),
                                            set.regions().size(),
                                            Shown.bytes(set.bytes())));
                    console.line(table.toString());
                }
            }
            return 0;
        }

        private static Map<String, Object> json(BackupSet set) {
            Map<String, Object> json = new LinkedHashMap<>();
            json.put("name", set.name());
            json.put("cluster", Json.unsigned(set.branchId()));
            json.put("at", Instant.ofEpochMilli(set.atMillis()).toString());
            json.put("regions", set.regions().size());
            json.put("bytes", set.bytes());
            return json;
        }
    }

    /** {@code tidekv ctl branch delete}. */
    @Command(
            name = "delete",
            description = {
                "Delete what a branch has written, and let this cluster's collector have what only",
                "the branch needed. Stop all processes of the branch first. May be repeated."
            })
    static final class Delete implements Callable<Integer> {
        @Parameters(paramLabel = "NAME")
        private String name = "";

        @Option(
                names = "--branch-pd",
                paramLabel = "HOST:PORT",
                description = "Where the branch's PD was: refuse when it still answers there.")
        private @Nullable String branchPd;

        @Mixin private ClusterOption cluster = new ClusterOption();

        @Mixin private ObjectsOption objects = new ObjectsOption();

        @Spec private @Nullable CommandSpec spec;

        private final Console console;

        Delete(Console console) {
            this.console = console;
        }

        @Override
        public Integer call() throws InterruptedException {
            CtlOptions options = CtlOptions.of(spec);
            try (ObjectStore store = objects.open()) {
                long parentId =
                        cluster.isNamed()
                                ? cluster.id(store)
                                : new PdRoots(options.pd()).clusterId();
                Branches branches = branches(store, parentId);
                if (branchPd != null && answers(branchPd, branches)) {
                    throw new CliException("the branch still runs: stop its processes first");
                }
                branches.delete(name);
            }
            console.line("deleted " + name);
            return 0;
        }

        private boolean answers(String pd, Branches branches) {
            long there;
            try {
                there = new PdRoots(pd).clusterId();
            } catch (CollectionStopped e) {
                return false;
            }
            return branches.list().stream()
                    .anyMatch(set -> set.name().equals(name) && set.branchId() == there);
        }
    }
}
