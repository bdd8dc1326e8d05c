package io.tidekv.cli;

import io.tidekv.cli.bench.BenchCommand;
import io.tidekv.cli.ctl.CtlCommand;
import io.tidekv.cli.playground.PlaygroundCommand;
import io.tidekv.cli.playground.PrepareCommand;
import io.tidekv.cli.server.ComputeCommand;
import io.tidekv.cli.server.PdCommand;
import io.tidekv.cli.server.SstUploaderCommand;
import io.tidekv.cli.server.WalCommand;
import io.tidekv.cli.shell.DeleteCommand;
import io.tidekv.cli.shell.GetCommand;
import io.tidekv.cli.shell.PutCommand;
import io.tidekv.cli.shell.ScanCommand;
import io.tidekv.common.SuppressForbidden;
import java.lang.reflect.Constructor;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.IFactory;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** The command {@code tidekv}. Exit codes: 0 done, 1 failed, 2 wrong usage. */
@Command(
        name = "tidekv",
        description = "A TiKV-compatible key-value service whose data live in an object store.",
        mixinStandardHelpOptions = true,
        versionProvider = VersionInfo.class,
        subcommandsRepeatable = false,
        scope = CommandLine.ScopeType.INHERIT,
        subcommands = {
            PlaygroundCommand.class,
            PrepareCommand.class,
            PutCommand.class,
            GetCommand.class,
            DeleteCommand.class,
            ScanCommand.class,
            CtlCommand.class,
            BenchCommand.class,
            PdCommand.class,
            WalCommand.class,
            ComputeCommand.class,
            SstUploaderCommand.class,
        })
public final class Tidekv implements Runnable {
    @Spec private @Nullable CommandSpec spec;

    private Tidekv() {}

    @SuppressForbidden("the command line entry point")
    public static void main(String[] args) {
        System.exit(run(Console.system(), args));
    }

    /** Runs one command and returns its exit code. */
    public static int run(Console console, String... args) {
        return commandLine(console).execute(args);
    }

    static CommandLine commandLine(Console console) {
        CommandLine line = new CommandLine(new Tidekv(), withConsole(console));
        line.setOut(console.out()).setErr(console.err());
        line.setCaseInsensitiveEnumValuesAllowed(true);
        line.setAbbreviatedOptionsAllowed(false);
        line.setUsageHelpAutoWidth(true);
        line.setParameterExceptionHandler(Tidekv::wrongUsage);
        line.setExecutionExceptionHandler((e, at, parsed) -> failed(console, e));
        return line;
    }

    @Override
    public void run() {
        if (spec != null) {
            spec.commandLine().usage(spec.commandLine().getOut());
        }
    }

    /** Commands are made with the console when they have such a constructor. */
    private static IFactory withConsole(Console console) {
        IFactory plain = CommandLine.defaultFactory();
        return new IFactory() {
            @Override
            public <K> K create(Class<K> type) throws Exception {
                try {
                    Constructor<K> maker = type.getDeclaredConstructor(Console.class);
                    maker.setAccessible(true);
                    return maker.newInstance(console);
                } catch (NoSuchMethodException e) {
                    return plain.create(type);
                }
            }
        };
    }

    private static int wrongUsage(CommandLine.ParameterException e, String[] args) {
        CommandLine at = e.getCommandLine();
        String name = at.getCommandSpec().qualifiedName();
        at.getErr().println("tidekv: " + e.getMessage() + " (see `" + name + " --help`)");
        at.getErr().flush();
        return CommandLine.ExitCode.USAGE;
    }

    private static int failed(Console console, Exception e) {
        console.note("tidekv: " + Failures.oneLine(e));
        if (System.getenv("TIDEKV_DEBUG") != null) {
            e.printStackTrace(console.err());
            console.err().flush();
        } else if (!Failures.expected(e)) {
            console.note("tidekv: set TIDEKV_DEBUG=1 for the details");
        }
        return CommandLine.ExitCode.SOFTWARE;
    }
}
