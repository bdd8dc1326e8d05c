package io.tidekv.cli.bench;

import com.fasterxml.jackson.databind.JsonNode;
import io.tidekv.cli.CliException;
import io.tidekv.cli.Json;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;

/** The compute processes of a playground, to be killed and started again. For one thread. */
final class KilledStores implements AutoCloseable {
    private final String pd;
    private final Map<Long, ProcessHandle> running = new HashMap<>();
    private final Map<Long, List<String>> commands = new HashMap<>();
    private final Map<Long, Path> folders = new HashMap<>();
    private final List<Process> started = new ArrayList<>();

    private KilledStores(String pd) {
        this.pd = pd;
    }

    /**
     * @param readyFile written by {@code tidekv playground --processes --ready-file}
     */
    static KilledStores of(Path readyFile) throws IOException {
        JsonNode ready = Json.read(Files.readString(readyFile));
        JsonNode all =
                Json.read(
                        Files.readString(Path.of(ready.get("data_dir").asText(), "commands.json")));
        KilledStores stores = new KilledStores(ready.get("pd").get(0).asText());
        for (JsonNode store : ready.get("compute")) {
            long id = store.get("id").asLong();
            Path role = Path.of(store.get("data_dir").asText()).getFileName();
            List<String> command = new ArrayList<>();
            all.path(String.valueOf(role)).forEach(word -> command.add(word.asText()));
            stores.commands.put(id, command);
            stores.folders.put(id, Path.of(store.get("data_dir").asText()));
            stores.running.put(
                    id,
                    ProcessHandle.of(store.get("pid").asLong())
                            .orElseThrow(
                                    () -> new CliException("the store " + id + " does not run")));
        }
        return stores;
    }

    String pd() {
        return pd;
    }

    /** Process ids of the stores that have not been killed, by store. */
    Map<Long, Long> pids() {
        Map<Long, Long> pids = new TreeMap<>();
        running.forEach(
                (store, process) -> {
                    if (process.isAlive()) {
                        pids.put(store, process.pid());
                    }
                });
        return pids;
    }

    /** Returns when the process is gone. */
    void kill(long store) {
        ProcessHandle process = running.get(store);
        if (process == null) {
            throw new CliException("the playground has no store " + store);
        }
        process.destroyForcibly();
        process.onExit().join();
    }

    /** Of a store that has been killed. */
    void emptyFolder(long store) throws IOException {
        Path folder = folders.get(store);
        if (folder == null || !Files.isDirectory(folder)) {
            return;
        }
        try (Stream<Path> files = Files.walk(folder)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        }
    }

    /** Returns at once. */
    void startAgain(long store) throws IOException {
        Process process =
                new ProcessBuilder(commands.getOrDefault(store, List.of()))
                        .redirectErrorStream(true)
                        .redirectOutput(ProcessBuilder.Redirect.to(new File("/dev/null")))
                        .start();
        started.add(process);
        running.put(store, process.toHandle());
    }

    /** Ends what was started here. */
    @Override
    public void close() {
        started.forEach(Process::destroy);
    }
}
