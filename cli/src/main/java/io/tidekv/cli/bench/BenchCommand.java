package io.tidekv.cli.bench;

import io.tidekv.cli.bench.wal.EchoCommand;
import io.tidekv.cli.bench.wal.StartBenchCommand;
import io.tidekv.cli.bench.wal.WalBenchCommand;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** {@code tidekv bench}. */
@Command(
        name = "bench",
        description = "Measure a cluster, or what to compare it with.",
        subcommands = {
            KvCommand.class,
            LargeTxnCommand.class,
            ReadsCommand.class,
            ColdCommand.class,
            DelayCommand.class,
            RocksCommand.class,
            RocksServerCommand.class,
            MoveCommand.class,
            SplitCommand.class,
            FailoverCommand.class,
            RegionsCommand.class,
            WalBenchCommand.class,
            StartBenchCommand.class,
            EchoCommand.class,
            EtcdCommand.class,
            FsyncCommand.class,
        })
public final class BenchCommand implements Runnable {
    @Spec private @Nullable CommandSpec spec;

    @Override
    public void run() {
        if (spec != null) {
            spec.commandLine().usage(spec.commandLine().getOut());
        }
    }
}
