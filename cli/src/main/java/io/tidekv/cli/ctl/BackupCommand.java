package io.tidekv.cli.ctl;

import io.tidekv.cli.CliException;
import io.tidekv.cli.Console;
import io.tidekv.cli.Json;
import io.tidekv.common.Randomness;
import io.tidekv.objects.backup.BackupSet;
import io.tidekv.objects.backup.Backups;
import io.tidekv.objects.backup.PdOwners;
import io.tidekv.objects.gc.PdRoots;
import io.tidekv.objects.store.ObjectStore;
import io.tidekv.objects.store.StoreContext;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code tidekv ctl backup}. */
@Command(
        name = "backup",
        description = "States of all regions, kept from the collector of garbage.",
        subcommands = {
            BackupCommand.Create.class,
            BackupCommand.ListBackups.class,
            BackupCommand.Delete.class,
            BackupRestoreCommand.class,
        })
final class BackupCommand implements Runnable {
    @Spec private @Nullable CommandSpec spec;

    @Override
    public void run() {
        Usage.show(spec);
    }

    private static Backups backups(ObjectStore store, long clusterId) {
        return new Backups(ObjectsOption.cluster(store, clusterId), Randomness.real());
    }

    private static Map<String, Object> json(BackupSet set) {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("name", set.name());
        json.put("cluster", Json.unsigned(set.clusterId()));
        json.put("created", Instant.ofEpochMilli(set.createdMillis()).toString());
        json.put("at", set.ts() == 0 ? null : Instant.ofEpochMilli(set.atMillis()).toString());
        json.put("ts", set.ts() == 0 ? null : Json.unsigned(set.ts()));
        json.put("regions", set.regions().size());
        json.put("bytes", set.bytes());
        return json;
    }

    private static String table(List<BackupSet> sets) {
        Table table = new Table("NAME", "AS OF", "REGIONS", "SIZE");
        for (BackupSet set : sets) {
            table.row(
                    set.name(),
                    set.ts() == 0 ? "no one moment" : Instant.ofEpochMilli(set.atMillis()),
                    set.regions().size(),
                    Shown.bytes(set.bytes()));
        }
        return table.toString();
    }

    /** {@code tidekv ctl backup create}. */
    @Command(
            name = "create",
            description = {
                "Keep the states of all regions as of now: every transaction that is committed, as a",
                "whole."
            })
    static final class Create implements Callable<Integer> {
        @Parameters(paramLabel = "NAME")
        private String name = "";

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
            StoreContext context = StoreContext.system();
            try (PdOwners owners = new PdOwners(options.pd(), context.randomness());
                    ObjectStore store = objects.open()) {
                long clusterId = owners.clusterId();
                BackupSet set =
                        backups(store, clusterId)
                                .create(name, clusterId, moment.cut(owners, context, console));
                console.line(options.json() ? Json.line(json(set)) : table(List.of(set)));
            }
            return 0;
        }
    }

    /** {@code tidekv ctl backup list}. */
    @Command(name = "list", description = "List the backups.")
    static final class ListBackups implements Callable<Integer> {
        @Mixin private ObjectsOption objects = new ObjectsOption();

        @Spec private @Nullable CommandSpec spec;

        private final Console console;

        ListBackups(Console console) {
            this.console = console;
        }

        @Override
        public Integer call() {
            CtlOptions options = CtlOptions.of(spec);
            long clusterId = new PdRoots(options.pd()).clusterId();
            try (ObjectStore store = objects.open()) {
                List<BackupSet> sets =
                        backups(store, clusterId).list().stream()
                                .filter(set -> !set.isBranch())
                                .toList();
                console.line(
                        options.json()
                                ? Json.line(
                                        Map.of(
                                                "backups",
                                                sets.stream().map(BackupCommand::json).toList()))
                                : table(sets));
            }
            return 0;
        }
    }

    /** {@code tidekv ctl backup delete}. */
    @Command(name = "delete", description = "Let the collector have what only this backup keeps.")
    static final class Delete implements Callable<Integer> {
        @Parameters(paramLabel = "NAME")
        private String name = "";

        @Mixin private ObjectsOption objects = new ObjectsOption();

        @Spec private @Nullable CommandSpec spec;

        private final Console console;

        Delete(Console console) {
            this.console = console;
        }

        @Override
        public Integer call() {
            CtlOptions options = CtlOptions.of(spec);
            long clusterId = new PdRoots(options.pd()).clusterId();
            try (ObjectStore store = objects.open()) {
                Backups backups = backups(store, clusterId);
                BackupSet set = backups.find(name);
                if (set != null && set.isBranch()) {
                    throw new CliException(name + " is a branch: use `tidekv ctl branch delete`");
                }
                if (!backups.delete(name)) {
                    throw new CliException("there is no backup " + name);
                }
            }
            console.line("deleted " + name);
            return 0;
        }
    }
}
