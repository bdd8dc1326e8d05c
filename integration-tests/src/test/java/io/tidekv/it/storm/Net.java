package io.tidekv.it.storm;

import java.util.List;

/** Where roles run, and how to keep them from hearing each other. */
interface Net extends AutoCloseable {
    /** The address on which a role listens. */
    String host(String role);

    /** The address of this process, as roles reach it. */
    String home();

    /** The words to put before the command of a role. */
    List<String> runIn(String role);

    /** Whether {@link #cut} works here. */
    boolean cuts();

    /** {@code to} hears nothing from {@code from} any more; the other way is untouched. */
    void cut(String from, String to);

    /** Everybody hears everybody. */
    void heal();

    @Override
    void close();

    /** All roles on this machine's loopback; nothing can be cut. */
    static Net loopback() {
        return new Net() {
            @Override
            public String host(String role) {
                return "127.0.0.1";
            }

            @Override
            public String home() {
                return "127.0.0.1";
            }

            @Override
            public List<String> runIn(String role) {
                return List.of();
            }

            @Override
            public boolean cuts() {
                return false;
            }

            @Override
            public void cut(String from, String to) {
                throw new UnsupportedOperationException("processes share the loopback");
            }

            @Override
            public void heal() {}

            @Override
            public void close() {}
        };
    }
}
