package io.tidekv.cli.playground;

import io.tidekv.cli.CliException;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;

/** What can be told before anything is started. */
final class Checks {
    private static final long FREE_BYTES_MIN = 1L << 30;
    private static final int DESCRIPTORS_MIN = 1024;

    private Checks() {}

    /** Each address can be listened on now. */
    static void portsAreFree(Map<String, String> addresses) {
        addresses.forEach(
                (address, role) -> {
                    int colon = address.lastIndexOf(':');
                    String host = address.substring(0, colon);
                    int port = Integer.parseInt(address.substring(colon + 1));
                    InetSocketAddress at = new InetSocketAddress(host, port);
                    if (at.isUnresolved()) {
                        throw new CliException("--host " + host + " is no address of this machine");
                    }
                    portIsFree(at, role);
                });
    }

    private static void portIsFree(InetSocketAddress at, String role) {
        try (ServerSocket probe = new ServerSocket()) {
            probe.setReuseAddress(true);
            probe.bind(at);
        } catch (IOException e) {
            throw new CliException(
                    "port "
                            + at.getPort()
                            + " (for "
                            + role
                            + ") is taken: stop what uses it, perhaps another playground, or use"
                            + " --port-offset 1000",
                    e);
        }
    }

    /** Room to start with. */
    static void diskHasRoom(Path folder) throws IOException {
        long free = Files.getFileStore(folder).getUsableSpace();
        if (free < FREE_BYTES_MIN) {
            throw new CliException(
                    "the disk of "
                            + folder
                            + " has only "
                            + (free >> 20)
                            + " MB left: free 1 GB, or use another --data-dir");
        }
    }

    /** Linux tells the limit of the process; elsewhere the failure itself has to. */
    static void descriptorsSuffice() throws IOException {
        Path limits = Path.of("/proc/self/limits");
        if (!Files.isReadable(limits)) {
            return;
        }
        for (String line : Files.readAllLines(limits, StandardCharsets.UTF_8)) {
            if (line.startsWith("Max open files")) {
                String soft = line.substring("Max open files".length()).strip().split("\\s+")[0];
                if (!soft.equals("unlimited") && Long.parseLong(soft) < DESCRIPTORS_MIN) {
                    throw new CliException(
                            "too few file descriptors ("
                                    + soft
                                    + "): raise the limit, for instance with `ulimit -n 65536`");
                }
            }
        }
    }
}
