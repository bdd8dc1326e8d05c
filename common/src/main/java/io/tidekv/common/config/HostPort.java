package io.tidekv.common.config;

import java.net.InetSocketAddress;

/** An address as {@code host:port}; an IPv6 host is written in brackets. Not resolved. */
public record HostPort(String host, int port) {
    public HostPort {
        if (host.isEmpty() || port < 0 || port > 65_535) {
            throw new IllegalArgumentException(FORM);
        }
    }

    private static final String FORM = "an address such as \"127.0.0.1:20160\"";

    /** Reads {@code host:port} or {@code [::1]:port}; throws IllegalArgumentException. */
    public static HostPort parse(String text) {
        int colon = text.lastIndexOf(':');
        if (colon < 1) {
            throw new IllegalArgumentException(FORM);
        }
        String host = text.substring(0, colon);
        if (host.startsWith("[") && host.endsWith("]")) {
            host = host.substring(1, host.length() - 1);
        } else if (host.indexOf(':') >= 0) {
            throw new IllegalArgumentException(FORM + "; IPv6 hosts stand in brackets");
        }
        try {
            return new HostPort(host, Integer.parseInt(text.substring(colon + 1)));
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException(FORM, e);
        }
    }

    /** Leaves {@code host:port} of a URL; an address without a scheme is already that. */
    public static String ofUrl(String urlOrAddress) {
        String text = urlOrAddress.strip();
        int scheme = text.indexOf("://");
        String rest = scheme < 0 ? text : text.substring(scheme + 3);
        return rest.endsWith("/") ? rest.substring(0, rest.length() - 1) : rest;
    }

    /** The same host with another port, for a server that was given port 0. */
    public HostPort withPort(int otherPort) {
        return new HostPort(host, otherPort);
    }

    /** Resolves the host; the address is unresolved when that fails. */
    public InetSocketAddress toSocketAddress() {
        return new InetSocketAddress(host, port);
    }

    @Override
    public String toString() {
        return (host.indexOf(':') >= 0 ? "[" + host + "]" : host) + ":" + port;
    }
}
