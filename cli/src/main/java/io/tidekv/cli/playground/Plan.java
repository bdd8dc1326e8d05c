package io.tidekv.cli.playground;

import io.tidekv.cli.CliException;
import io.tidekv.cli.server.RoleKind;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/** What a playground consists of: roles, addresses, folders. */
final class Plan {
    /** Ports as TiKV's own playground has them; WAL nodes follow. */
    private static final int PD_PORT = 2379;

    private static final int COMPUTE_PORT = 20160;
    private static final int COMPUTE_STATUS_PORT = 20180;
    private static final int WAL_PORT = 20190;
    private static final int WAL_STATUS_PORT = 20200;

    /** Nodes of a kind whose ports do not run into the next kind's. */
    private static final int NODES_MAX = 10;

    private final String host;
    private final int offset;
    private final Path data;
    private final ApiVersion api;
    private final String objectStore;
    private final @Nullable Path restorePlan;
    private final Map<String, String> set;
    private final List<RoleSpec> roles = new ArrayList<>();

    Plan(PlaygroundOptions options, Path data, ApiVersion api, String objectStore) {
        this.host = options.host;
        this.offset = options.portOffset;
        this.data = data;
        this.api = api;
        this.objectStore = objectStore;
        this.restorePlan = options.restorePlan;
        this.set = options.set;
        check(options);
        for (int i = 0; i < options.pd; i++) {
            roles.add(pd(i, options.pd, voters(options)));
        }
        for (int i = 0; i < options.wal; i++) {
            roles.add(wal(i));
        }
        for (int i = 0; i < options.compute; i++) {
            roles.add(compute(i));
        }
    }

    List<RoleSpec> roles() {
        return roles;
    }

    List<RoleSpec> roles(RoleKind kind) {
        return roles.stream().filter(role -> role.kind() == kind).toList();
    }

    ApiVersion api() {
        return api;
    }

    String objectStore() {
        return objectStore;
    }

    Path data() {
        return data;
    }

    Path logDir() {
        return data.resolve("log");
    }

    /** PD's addresses, separated by commas. */
    String pdEndpoints() {
        return roles(RoleKind.PD).stream().map(RoleSpec::address).collect(Collectors.joining(","));
    }

    /** Every address that something will listen on, with what it is for. */
    Map<String, String> addresses() {
        Map<String, String> all = new LinkedHashMap<>();
        for (RoleSpec role : roles) {
            all.put(role.address(), role.name());
            all.put(role.statusAddress(), role.name());
            String peer = role.settings().get("peer-urls");
            if (peer != null) {
                all.put(peer.substring(peer.indexOf("://") + 3), role.name());
            }
        }
        return all;
    }

    /** A log must have a majority: an even number of nodes takes one voter less. */
    private static int voters(PlaygroundOptions options) {
        return Math.min(3, options.wal % 2 == 0 ? options.wal - 1 : options.wal);
    }

    private static void check(PlaygroundOptions options) {
        range("--compute", options.compute);
        range("--wal", options.wal);
        if (options.pd != 1 && options.pd != 3) {
            throw new CliException("--pd " + options.pd + ": use 1 or 3");
        }
        for (String key : options.set.keySet()) {
            if (!key.matches("(pd|wal|compute)\\..+")) {
                throw new CliException(
                        "--set " + key + ": use pd.KEY, wal.KEY or compute.KEY, as in the files");
            }
        }
        int lowest = PD_PORT + options.portOffset;
        int highest = WAL_STATUS_PORT + NODES_MAX + options.portOffset;
        if (lowest < 1 || highest > 65_535) {
            throw new CliException(
                    "--port-offset " + options.portOffset + " leads to ports that do not exist");
        }
    }

    private static void range(String flag, int nodes) {
        if (nodes < 1 || nodes > NODES_MAX) {
            throw new CliException(flag + " " + nodes + ": use 1 to " + NODES_MAX);
        }
    }

    private String at(int port) {
        return host + ":" + (port + offset);
    }

    private RoleSpec pd(int i, int count, int voters) {
        Map<String, String> set = new LinkedHashMap<>();
        Path folder = data.resolve("pd-" + (i + 1));
        set.put("name", "pd-" + (i + 1));
        set.put("data-dir", folder.toString());
        set.put("client-urls", "http://" + at(PD_PORT + 2 * i));
        set.put("peer-urls", "http://" + at(PD_PORT + 1 + 2 * i));
        if (count > 1) {
            set.put(
                    "initial-cluster",
                    IntStream.range(0, count)
                            .mapToObj(n -> "pd-" + (n + 1) + "=http://" + at(PD_PORT + 1 + 2 * n))
                            .collect(Collectors.joining(",")));
        }
        set.put("pd-server.api-version", api.text());
        if (restorePlan != null) {
            set.put("restore-plan", restorePlan.toAbsolutePath().toString());
        }
        set.put("replication.voters", Integer.toString(voters));
        String address = at(PD_PORT + 2 * i);
        return role(RoleKind.PD, "pd-" + (i + 1), address, address, folder, set);
    }

    private RoleSpec wal(int i) {
        Map<String, String> set = new LinkedHashMap<>();
        String name = "wal-" + (i + 1);
        set.put("addr", at(WAL_PORT + i));
        set.put("status-addr", at(WAL_STATUS_PORT + i));
        set.put("pd-endpoints", pdEndpoints());
        set.put("data-dir", data.resolve(name).toString());
        set.put("zone", "zone-" + (i + 1));
        // Used when somebody sets wal.archive.enabled.
        set.put("archive.store", objectStore);
        return role(
                RoleKind.WAL,
                name,
                at(WAL_PORT + i),
                at(WAL_STATUS_PORT + i),
                data.resolve(name),
                set);
    }

    private RoleSpec compute(int i) {
        Map<String, String> set = new LinkedHashMap<>();
        String name = "compute-" + (i + 1);
        set.put("addr", at(COMPUTE_PORT + i));
        set.put("status-addr", at(COMPUTE_STATUS_PORT + i));
        set.put("pd.endpoints", pdEndpoints());
        set.put("data-dir", data.resolve(name).toString());
        set.put("object-store", objectStore);
        set.put("storage.api-version", Integer.toString(api.number()));
        set.put("storage.enable-ttl", Boolean.toString(api.ttl()));
        return role(
                RoleKind.COMPUTE,
                name,
                at(COMPUTE_PORT + i),
                at(COMPUTE_STATUS_PORT + i),
                data.resolve(name),
                set);
    }

    private RoleSpec role(
            RoleKind kind,
            String name,
            String address,
            String status,
            Path folder,
            Map<String, String> settings) {
        set.forEach(
                (key, value) -> {
                    String prefix = kind.command() + ".";
                    if (key.startsWith(prefix)) {
                        settings.put(key.substring(prefix.length()), value);
                    }
                });
        Path log = logDir().resolve(name + ".log");
        return new RoleSpec(kind, name, address, status, folder, log, settings);
    }
}
