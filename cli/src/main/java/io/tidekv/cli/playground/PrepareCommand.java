package io.tidekv.cli.playground;

import io.tidekv.cli.Console;
import io.tidekv.cli.server.OrderlyEnd;
import io.tidekv.common.Randomness;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import org.rocksdb.util.Environment;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/**
 * What the script runs once after a build: unpacks RocksDB's library, so that no start has to, and
 * starts and ends a small playground, whose classes the JVM records.
 */
@Command(name = "prepare", hidden = true, description = "Make later starts fast.")
public final class PrepareCommand implements Callable<Integer> {
    private static final int OFFSETS = 20_000;

    @Option(names = "--native-dir", description = "Where the native library goes.")
    private @Nullable Path nativeDir;

    private final Console console;

    public PrepareCommand(Console console) {
        this.console = console;
    }

    @Override
    public Integer call() throws IOException {
        if (nativeDir != null) {
            unpack(nativeDir);
        }
        PlaygroundOptions options = new PlaygroundOptions();
        options.portOffset = 10_000 + Randomness.real().nextInt(OFFSETS);
        OrderlyEnd end = OrderlyEnd.install();
        try {
            new Playground(console, options).rehearse(end);
            return 0;
        } finally {
            end.done();
        }
    }

    private static void unpack(Path folder) throws IOException {
        Files.createDirectories(folder);
        String inJar = Environment.getJniLibraryFileName("rocksdb");
        try (InputStream in = PrepareCommand.class.getResourceAsStream("/" + inJar)) {
            if (in == null) {
                return;
            }
            Path part = Files.createTempFile(folder, "rocksdb", ".part");
            Files.copy(in, part, StandardCopyOption.REPLACE_EXISTING);
            Path file = folder.resolve(System.mapLibraryName(jniName(inJar)));
            Files.move(part, file, StandardCopyOption.ATOMIC_MOVE);
        }
    }

    /** "librocksdbjni-linux64.so" → "rocksdbjni-linux64", as it is asked for by name. */
    private static String jniName(String fileName) {
        int dot = fileName.lastIndexOf('.');
        String name = fileName.substring(0, dot);
        return name.startsWith("lib") ? name.substring("lib".length()) : name;
    }
}
