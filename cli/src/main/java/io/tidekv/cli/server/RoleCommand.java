package io.tidekv.cli.server;

import io.tidekv.cli.CliException;
import io.tidekv.cli.Console;
import io.tidekv.common.Threads;
import io.tidekv.common.config.Settings;
import io.tidekv.common.log.Logging;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Options and life of a process with one role. A flag wins over the file. */
abstract class RoleCommand implements Callable<Integer> {
    private static final long PARENT_CHECK_SECONDS = 1;

    @Option(names = "--config", paramLabel = "FILE", description = "Settings in TOML.")
    private @Nullable Path config;

    @Option(names = "--config-check", description = "Check the settings and end.")
    private boolean configCheck;

    @Option(names = "--print-config", description = "Print the settings in force and end.")
    private boolean printConfig;

    @Option(
            names = "--config-template",
            description = "Print a file with every setting, explained, at its default and end.")
    private boolean configTemplate;

    @Option(
            names = "--set",
            paramLabel = "KEY=VALUE",
            description = "Any setting, such as storage.segment-size=128MB. May be repeated.")
    private Map<String, String> set = new LinkedHashMap<>();

    @Option(
            names = "--log-file",
            paramLabel = "FILE",
            description = "Where the log goes; standard error by default.")
    private @Nullable Path logFile;

    @Option(names = "--parent", hidden = true, description = "End when this process is gone.")
    private long parent;

    private final Console console;
    private final RoleKind kind;

    RoleCommand(Console console, RoleKind kind) {
        this.console = console;
        this.kind = kind;
    }

    /** Values of the role's own flags by settings key; null or empty values are not set. */
    abstract void flags(Flags flags);

    @Override
    public Integer call() throws IOException {
        if (configTemplate) {
            console.line(Settings.template(kind.settings()));
            return 0;
        }
        Map<String, String> overrides = new LinkedHashMap<>();
        flags((key, value) -> putIfGiven(overrides, key, value));
        overrides.putAll(set);
        Record settings = kind.load(config, overrides);
        if (printConfig) {
            console.line(Settings.render(settings));
            return 0;
        } else if (configCheck) {
            console.line("the settings of " + kind.command() + " are valid");
            return 0;
        }
        run(settings);
        return 0;
    }

    private void run(Record settings) throws IOException {
        if (logFile != null) {
            Path folder = logFile.toAbsolutePath().getParent();
            if (folder != null) {
                Files.createDirectories(folder);
            }
            Logging.toFile(logFile, false);
        }
        OrderlyEnd end = OrderlyEnd.install();
        ScheduledExecutorService timers = watchParent(end);
        try (RunningRole role = kind.start(settings)) {
            console.note(kind.command() + " serves at " + role.address());
            role.ended().thenAccept(reason -> end.ask());
            end.await();
            if (role.ended().isDone()) {
                throw new CliException(kind.command() + " has ended: " + role.ended().join());
            }
        } finally {
            timers.shutdownNow();
            end.done();
        }
    }

    /** A role that a playground started ends with it, even when the playground was killed. */
    private ScheduledExecutorService watchParent(OrderlyEnd end) {
        ScheduledExecutorService timers = Threads.timers("parent");
        if (parent != 0) {
            Runnable check =
                    () -> {
                        if (ProcessHandle.of(parent).isEmpty()) {
                            end.ask();
                        }
                    };
            timers.scheduleWithFixedDelay(
                    check, PARENT_CHECK_SECONDS, PARENT_CHECK_SECONDS, TimeUnit.SECONDS);
        }
        return timers;
    }

    private static void putIfGiven(
            Map<String, String> overrides, String key, @Nullable String value) {
        if (value != null) {
            overrides.put(key, value);
        }
    }

    /** Takes the value of a flag; null when it was not given. */
    interface Flags {
        void put(String key, @Nullable String value);
    }
}
