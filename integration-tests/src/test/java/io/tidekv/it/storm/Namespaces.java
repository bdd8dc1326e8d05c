package io.tidekv.it.storm;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A network namespace per role, joined by a bridge; packets are dropped by nftables where they
 * arrive. Linux, root, the commands {@code ip} and {@code nft}.
 */
final class Namespaces implements Net {
    private static final int FIRST_HOST = 10;

    private final String id = "tkv" + ProcessHandle.current().pid() % 10_000;
    private final String subnet = "10.213." + ProcessHandle.current().pid() % 250 + ".";
    private final Map<String, String> hosts = new LinkedHashMap<>();

    Namespaces(List<String> roles) {
        try {
            Shell.run("ip", "link", "add", id, "type", "bridge");
            Shell.run("ip", "addr", "add", home() + "/24", "dev", id);
            Shell.run("ip", "link", "set", id, "up");
            for (String role : roles) {
                hosts.put(role, subnet + (FIRST_HOST + hosts.size()));
                add(role);
            }
        } catch (RuntimeException e) {
            close();
            throw e;
        }
    }

    private void add(String role) {
        String space = space(role);
        String port = id + "-" + hosts.size();
        Shell.run("ip", "netns", "add", space);
        Shell.run(
                "ip", "link", "add", port, "type", "veth", "peer", "name", "eth0", "netns", space);
        Shell.run("ip", "link", "set", port, "master", id, "up");
        Shell.run("ip", "-n", space, "addr", "add", host(role) + "/24", "dev", "eth0");
        Shell.run("ip", "-n", space, "link", "set", "eth0", "up");
        Shell.run("ip", "-n", space, "link", "set", "lo", "up");
        nft(role, "add", "table", "inet", "storm");
        nft(role, "add", "chain", "inet", "storm", "in", "{ type filter hook input priority 0; }");
    }

    private void nft(String role, String... words) {
        String[] all = new String[words.length + 5];
        String[] begin = {"ip", "netns", "exec", space(role), "nft"};
        System.arraycopy(begin, 0, all, 0, begin.length);
        System.arraycopy(words, 0, all, begin.length, words.length);
        Shell.run(all);
    }

    private String space(String role) {
        return id + "-" + role;
    }

    @Override
    public String host(String role) {
        String host = hosts.get(role);
        if (host == null) {
            throw new IllegalArgumentException("no role " + role);
        }
        return host;
    }

    @Override
    public String home() {
        return subnet + "1";
    }

    @Override
    public List<String> runIn(String role) {
        return List.of("ip", "netns", "exec", space(role));
    }

    @Override
    public boolean cuts() {
        return true;
    }

    @Override
    public void cut(String from, String to) {
        nft(to, "add", "rule", "inet", "storm", "in", "ip", "saddr", host(from), "drop");
    }

    @Override
    public void heal() {
        hosts.keySet().forEach(role -> nft(role, "flush", "chain", "inet", "storm", "in"));
    }

    @Override
    public void close() {
        hosts.keySet().forEach(role -> Shell.tryTo("ip", "netns", "del", space(role)));
        Shell.tryTo("ip", "link", "del", id);
    }
}
