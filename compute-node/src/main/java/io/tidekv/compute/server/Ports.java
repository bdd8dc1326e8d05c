package io.tidekv.compute.server;

import io.tidekv.common.config.HostPort;
import java.io.IOException;
import java.net.ServerSocket;

/**
 * Finds out whether a port can be taken before PD hears of the process: the registration of a
 * second process at an address would fence the first.
 */
final class Ports {
    private Ports() {}

    /**
     * The address with a real port, free a moment ago.
     *
     * @throws IOException naming the setting when the port is taken
     */
    static HostPort free(HostPort address, String setting) throws IOException {
        try (ServerSocket socket = new ServerSocket()) {
            socket.setReuseAddress(true);
            socket.bind(address.toSocketAddress());
            return address.withPort(socket.getLocalPort());
        } catch (IOException e) {
            throw new IOException(
                    setting
                            + " "
                            + address
                            + " cannot be listened on ("
                            + e.getMessage()
                            + "): stop what uses it or choose another",
                    e);
        }
    }
}
