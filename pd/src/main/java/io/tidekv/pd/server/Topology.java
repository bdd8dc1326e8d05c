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
        return of(
                config.name(),
                config.clientUrls(),
                config.advertiseClientUrls(),
                config.peerUrls(),
                config.initialCluster());
    }

    /** As {@link #of(PdConfig)}, while the settings are being read. */
    static Topology of(
            String name,
            String clientUrls,
            String advertiseClientUrls,
            String peerUrls,
            List<String> initialCluster) {
        HostPort listen = single("client-urls", clientUrls);
        HostPort listenPeers = single("peer-urls", peerUrls);
        Map<String, HostPort> peers = new LinkedHashMap<>();
        for (String item : initialCluster) {
            int equals = item.indexOf('=');
            if (equals < 1) {
                throw new IllegalArgumentException(
                        "initial-cluster: expected name=http://host:port, not \"" + item + "\"");
            }
            String member = item.substring(0, equals).strip();
            HostPort address = url("initial-cluster", item.substring(equals + 1));
            if (peers.put(member, address) != null) {
                throw new IllegalArgumentException(
                        "initial-cluster: " + member + " is named twice");
            }
        }
        if (peers.isEmpty()) {
            peers.put(name, listenPeers);
        }
        if (!peers.containsKey(name)) {
            throw new IllegalArgumentException(
                    "initial-cluster does not list this node, name = \"" + name + "\"");
        }
        if (peers.size() % 2 == 0) {
            throw new IllegalArgumentException(
                    "initial-cluster: expected one or three nodes, not " + peers.size());
        }
        if (advertiseClientUrls.isBlank() && wildcard(listen.host())) {
            throw new IllegalArgumentException(
                    "advertise-client-urls: needed when client-urls listens on " + listen.host());
        }
        for (String item :
                advertiseClientUrls.isBlank() ? List.<String>of() : urls(advertiseClientUrls)) {
            url("advertise-client-urls", item);
        }
        return new Topology(listen, listenPeers, peers);
    }

    /** What clients are told, once the port is known. */
    List<String> advertised(PdConfig config, int port) {
        if (config.advertiseClientUrls().isBlank()) {
            return List.of("http://" + listen.withPort(port));
        }
        List<String> urls = new ArrayList<>();
        for (String item : urls(config.advertiseClientUrls())) {
            HostPort address = url("advertise-client-urls", item);
            urls.add("http://" + (address.port() == 0 ? address.withPort(port) : address));
        }
        return urls;
    }

    String peerUrl(String name) {
        return "http://" + peers.get(name);
    }

    private static List<String> urls(String list) {
        return List.of(list.split(",", -1));
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
