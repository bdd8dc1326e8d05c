package io.tidekv.cli.bench.wal;

import io.tidekv.cli.CliException;
import io.tidekv.cli.Launcher;
import io.tidekv.common.time.Clock;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** Processes of this program that the measurement needs; they end with it. */
public final class Children implements AutoCloseable {
    private static final long START_SECONDS = 60;
    private static final String SERVES = " serves at ";

    /** A started process and the address that it has said. */
    public record Child(Process process, String address) {
        public long pid() {
            return process.pid();
        }

        /** CPU seconds since it began. */
        double cpuSeconds() {
            return Children.cpuSeconds(process.pid());
        }
    }

    private final Path folder;
    private final Clock clock;
    private final List<Process> processes = new ArrayList<>();

    /** Outputs go to files in {@code folder}. */
    public Children(Path folder, Clock clock) {
        this.folder = folder;
        this.clock = clock;
    }

    /** Starts a command of this program and waits until it says where it serves. */
    public Child start(String name, List<String> arguments)
            throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(Launcher.command());
        command.addAll(arguments);
        command.add("--parent");
        command.add(Long.toString(ProcessHandle.current().pid()));
        Path out = folder.resolve(name + ".out");
        Process process =
                new ProcessBuilder(command)
                        .redirectInput(ProcessBuilder.Redirect.from(new File("/dev/null")))
                        .redirectOutput(out.toFile())
                        .redirectErrorStream(true)
                        .start();
        processes.add(process);
        return new Child(process, awaitAddress(name, process, out));
    }

    private String awaitAddress(String name, Process process, Path out)
            throws IOException, InterruptedException {
        long end = clock.monotonicNanos() + TimeUnit.SECONDS.toNanos(START_SECONDS);
        while (clock.monotonicNanos() < end) {
            String text = Files.readString(out);
            int at = text.indexOf(SERVES);
            int lineEnd = at < 0 ? -1 : text.indexOf('\n', at);
            if (lineEnd >= 0) {
                return text.substring(at + SERVES.length(), lineEnd).strip();
            }
            if (process.waitFor(50, TimeUnit.MILLISECONDS)) {
                throw new CliException(name + " ended at once: " + text.strip());
            }
        }
        throw new CliException(name + " did not start within " + START_SECONDS + " s");
    }

    /** Process ids, in the order in which they were started. */
    public List<Long> pids() {
        return processes.stream().map(Process::pid).toList();
    }

    /** CPU seconds of a process since it began. */
    static double cpuSeconds(long pid) {
        return ProcessHandle.of(pid)
                .flatMap(process -> process.info().totalCpuDuration())
                .map(used -> used.toNanos() / 1e9)
                .orElse(0.0);
    }

    @Override
    public void close() {
        processes.forEach(Process::destroy);
        for (Process process : processes) {
            try {
                if (!process.waitFor(10, TimeUnit.SECONDS)) {
                    process.destroyForcibly();
                }
            } catch (InterruptedException e) {
                process.destroyForcibly();
                Thread.currentThread().interrupt();
            }
        }
    }
}
