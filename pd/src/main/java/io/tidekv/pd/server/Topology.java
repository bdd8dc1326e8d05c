package io.tidekv.pd.server;

import io.tidekv.common.config.HostPort;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * Addresses out of the settings.
 *
 * @param listen for clients
 * @param listenPeers for the other PD nodes
 * @param peers every PD node by name
 */
record Topology(HostPort listen, HostPort listenPeers, Map<String, HostPort> peers) {

    /** Throws IllegalArgumentException naming the setting that is wrong. */
    static Topology of(PdConfig config) {
        HostPort listen = single("client-urls", config.clientUrls());
        HostPort listenPeers = single("peer-urls", config.peerUrls());
        Map<String, HostPort> peers = new LinkedHashMap<>();
        for (String item : config.initialCluster()) {
            int equals = item.indexOf('=');
            if (equals < 1) {
                throw new IllegalArgumentException(
                        "initial-cluster: expected name=http://host:port, not \"" + item + "\"");
            }
            String name = item.substring(0, equals).strip();
            HostPort address = url("initial-cluster", item.substring(equals + 1));
            if (peers.put(name, address) != null) {
                throw new IllegalArgumentException("initial-cluster: " + name + " is named twice");
            }
        }
        if (peers.isEmpty()) {
            peers.put(config.name(), listenPeers);
        }
        if (!peers.containsKey(config.name())) {
            throw new IllegalArgumentException(
                    "initial-cluster does not list this node, name = \"" + config.name() + "\"");
        }
        if (peers.size() % 2 == 0) {
            throw new IllegalArgumentException(
                    "initial-cluster: expected one or three nodes, not " + peers.size());
        }
        if (config.advertiseClientUrls().isBlank() && wildcard(listen.host())) {
            throw new IllegalArgumentException(
                    "advertise-client-urls: needed when client-urls listens on " + listen.host());
        }
        return new Topology(listen, listenPeers, peers);
    }

    /** What clients are told, once the port is known. */
    List<String> advertised(PdConfig config, int port) {
        if (config.advertiseClientUrls().isBlank()) {
            return List.of("http://" + listen.withPort(port));
        }
        List<String> urls = new ArrayList<>();
        for (String item : config.advertiseClientUrls().split(",", -1)) {
            HostPort address = url("advertise-client-urls", item);
            urls.add("http://" + (address.port() == 0 ? address.withPort(port) : address));
        }
        return urls;
    }

    String peerUrl(String name) {
        return "http://" + peers.get(name);
    }

    private static HostPort single(String setting, String urls) {
        return url(setting, urls.split(",", 2)[0]);
    }

    private static HostPort url(String setting, String url) {
        String text = url.strip();
        if (text.startsWith("https://")) {
            throw new IllegalArgumentException(
                    setting + ": TLS is not supported yet, use http:// instead of " + text);
        }
        if (!text.startsWith("http://")) {
            throw new IllegalArgumentException(
                    setting + ": expected http://host:port, not \"" + text + "\"");
        }
        try {
            return HostPort.parse(text.substring("http://".length()).replaceAll("/$", ""));
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException(setting + ": expected " + e.getMessage(), e);
        }
    }

    private static boolean wildcard(String host) {
        return host.equals("0.0.0.0") || host.equals("::");
    }

    @Override
    public String toString() {
        return peers.entrySet().stream()
                .map(p -> p.getKey() + "=http://" + p.getValue())
                .collect(Collectors.joining(","));
    }
}
