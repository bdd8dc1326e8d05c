package io.tidekv.cli.playground;

import io.tidekv.cli.Json;
import io.tidekv.cli.Launcher;
import io.tidekv.cli.server.RoleKind;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;

/**
 * A child process per role. A child that dies is reported and not replaced, so that whoever tests
 * failures decides; {@code commands.json} in the data folder says how to start each again.
 */
final class ManyProcesses implements RunningCluster {
    /** Settings with the URI of an object store; a role has one of them at most. */
    private static final Set<String> SECRET = Set.of("object-store", "archive.store");

    private static final long END_SECONDS = 20;
    private static final String COMMANDS_FILE = "commands.json";

    private final Map<String, Process> processes = new LinkedHashMap<>();
    private final Plan plan;
    private final Progress progress;
    private volatile boolean ending;
    private volatile String failure = "";

    private ManyProcesses(Plan plan, Progress progress) {
        this.plan = plan;
        this.progress = progress;
    }

    /** Starts all children and returns at once. */
    static ManyProcesses start(Plan plan, Progress progress) throws IOException {
        ManyProcesses cluster = new ManyProcesses(plan, progress);
        Map<String, List<String>> commands = new LinkedHashMap<>();
        for (RoleSpec role : plan.roles()) {
            commands.put(role.name(), command(plan, role));
        }
        DataFolder.write(plan.data().resolve(COMMANDS_FILE), Json.pretty(commands));
        try {
            for (RoleSpec role : plan.roles()) {
                cluster.startOne(role, commands.getOrDefault(role.name(), List.of()));
            }
            return cluster;
        } catch (IOException e) {
            cluster.close();
            throw e;
        }
    }

    private void startOne(RoleSpec role, List<String> command) throws IOException {
        File out = plan.logDir().resolve(role.name() + ".out").toFile();
        Process process =
                new ProcessBuilder(command)
                        .redirectInput(ProcessBuilder.Redirect.from(new File("/dev/null")))
                        .redirectOutput(ProcessBuilder.Redirect.appendTo(out))
                        .redirectErrorStream(true)
                        .start();
        processes.put(role.name(), process);
        progress.line(role.name() + " is process " + process.pid());
        process.onExit().thenAccept(gone -> ended(role, gone, out));
    }

    private void ended(RoleSpec role, Process gone, File out) {
        if (ending) {
            return;
        }
        progress.line(
                role.name()
                        + " (process "
                        + gone.pid()
                        + ") has ended with code "
                        + gone.exitValue()
                        + "; log: "
                        + role.logFile());
        failure = role.name() + " could not be started: " + lastLine(out) + "; see " + out;
    }

    private static String lastLine(File file) {
        try {
            List<String> lines = Files.readAllLines(file.toPath());
            return lines.isEmpty() ? "it said nothing" : lines.get(lines.size() - 1);
        } catch (IOException e) {
            return "it left no output";
        }
    }

    private static List<String> command(Plan plan, RoleSpec role) throws IOException {
        List<String> command = new ArrayList<>(Launcher.command());
        command.add(role.kind().command());
        command.add("--log-file");
        command.add(role.logFile().toString());
        command.add("--parent");
        command.add(Long.toString(ProcessHandle.current().pid()));
        for (Map.Entry<String, String> setting : role.settings().entrySet()) {
            if (SECRET.contains(setting.getKey())) {
                // It may hold credentials, which everybody sees on a command line.
                command.add("--config");
                command.add(secretSetting(plan, role.name(), setting).toString());
            } else {
                command.add("--set");
                command.add(setting.getKey() + "=" + setting.getValue());
            }
        }
        return command;
    }

    private static Path secretSetting(Plan plan, String name, Map.Entry<String, String> setting)
            throws IOException {
        Path folder = Files.createDirectories(plan.data().resolve("config"));
        Path file = folder.resolve(name + ".toml");
        String quoted = setting.getValue().replace("\\", "\\\\").replace("\"", "\\\"");
        int dot = setting.getKey().lastIndexOf('.');
        String table = dot < 0 ? "" : "[" + setting.getKey().substring(0, dot) + "]\n";
        String key = setting.getKey().substring(dot + 1);
        DataFolder.write(file, table + key + " = \"" + quoted + "\"");
        if (Files.getFileStore(file).supportsFileAttributeView("posix")) {
            Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-------"));
        }
        return file;
    }

    @Override
    public long pid(RoleSpec role) {
        Process process = processes.get(role.name());
        return process == null ? 0 : process.pid();
    }

    @Override
    public String failure() {
        return failure;
    }

    @Override
    public void close() {
        ending = true;
        for (RoleKind kind : List.of(RoleKind.COMPUTE, RoleKind.WAL, RoleKind.PD)) {
            List<Process> ofKind =
                    plan.roles(kind).stream()
                            .map(role -> processes.get(role.name()))
                            .filter(process -> process != null)
                            .toList();
            ofKind.forEach(Process::destroy);
            ofKind.forEach(ManyProcesses::awaitEnd);
        }
    }

    private static void awaitEnd(Process process) {
        try {
            if (!process.waitFor(END_SECONDS, TimeUnit.SECONDS)) {
                process.destroyForcibly();
            }
        } catch (InterruptedException e) {
            process.destroyForcibly();
            Thread.currentThread().interrupt();
        }
    }
}
