package io.tidekv.cli.bench;

import io.tidekv.cli.Console;
import io.tidekv.common.Threads;
import io.tidekv.common.config.HostPort;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/**
 * {@code tidekv bench delay}: passes on connections and keeps each request back for a while, as an
 * object store far away would. Bytes on their way are as fast as they are.
 */
@Command(name = "delay", description = "A proxy that keeps each request back, for a far store.")
final class DelayCommand implements Callable<Integer> {
    private static final int BACKLOG = 100;
    private static final int BUFFER = 64 << 10;

    @Option(names = "--listen", required = true, description = "Port on 127.0.0.1.")
    private int port;

    @Option(names = "--to", required = true, paramLabel = "HOST:PORT", description = "The server.")
    private String server = "";

    @Option(
            names = "--millis",
            description = "How long a request is kept back (default ${DEFAULT-VALUE}).")
    private long millis = 15;

    private final Console console;

    DelayCommand(Console console) {
        this.console = console;
    }

    @Override
    public Integer call() throws IOException {
        HostPort to = HostPort.parse(server);
        try (ServerSocket listening =
                new ServerSocket(port, BACKLOG, InetAddress.getLoopbackAddress())) {
            console.note("delay serves at 127.0.0.1:" + listening.getLocalPort());
            while (true) {
                Socket client = listening.accept();
                Threads.start("delay", () -> pass(client, to));
            }
        }
    }

    private void pass(Socket client, HostPort to) {
        try (client;
                Socket upstream = new Socket(to.host(), to.port())) {
            client.setTcpNoDelay(true);
            upstream.setTcpNoDelay(true);
            // What the client sends after an answer begins a request.
            AtomicBoolean answered = new AtomicBoolean(true);
            Thread answers =
                    Threads.start("delay-answers", () -> answers(upstream, client, answered));
            requests(client, upstream, answered);
            upstream.shutdownOutput();
            answers.join();
        } catch (IOException e) {
            // One of the two has hung up: so do we.
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void requests(Socket from, Socket to, AtomicBoolean answered)
            throws IOException, InterruptedException {
        InputStream in = from.getInputStream();
        OutputStream out = to.getOutputStream();
        byte[] buffer = new byte[BUFFER];
        for (int read = in.read(buffer); read >= 0; read = in.read(buffer)) {
            if (answered.getAndSet(false)) {
                new CountDownLatch(1).await(millis, TimeUnit.MILLISECONDS);
            }
            out.write(buffer, 0, read);
        }
    }

    private static void answers(Socket from, Socket to, AtomicBoolean answered) {
        byte[] buffer = new byte[BUFFER];
        try {
            InputStream in = from.getInputStream();
            OutputStream out = to.getOutputStream();
            for (int read = in.read(buffer); read >= 0; read = in.read(buffer)) {
                answered.set(true);
                out.write(buffer, 0, read);
            }
            to.shutdownOutput();
        } catch (IOException e) {
            try {
                to.close();
            } catch (IOException ignored) {
                // It is closed as far as we are concerned.
            }
        }
    }
}
