package io.tidekv.cli.playground;

import io.tidekv.cli.server.RoleKind;
import java.nio.file.Path;
import java.util.Map;

/**
 * One role of a playground.
 *
 * @param name such as {@code wal-2}
 * @param address host:port that it serves on
 * @param statusAddress host:port of its status pages
 * @param settings values by dotted key
 */
record RoleSpec(
        RoleKind kind,
        String name,
        String address,
        String statusAddress,
        Path dataDir,
        Path logFile,
        Map<String, String> settings) {}
