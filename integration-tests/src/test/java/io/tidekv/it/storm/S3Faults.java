package io.tidekv.it.storm;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/**
 * A proxy before an object store that fails a share of the requests: 503 and a lost connection
 * before the effect, a lost connection after it, and half of a body.
 */
final class S3Faults implements AutoCloseable {
    private final String host;
    private final int upstream;
    private final HttpServer server;
    private final ExecutorService threads = Executors.newFixedThreadPool(8);
    private final Random random;
    private double share;
    private int failed;

    S3Faults(String host, int upstream, double share, Random random) throws IOException {
        this.host = host;
        this.upstream = upstream;
        this.share = share;
        this.random = random;
        server = HttpServer.create(new InetSocketAddress(host, 0), 50);
        server.setExecutor(threads);
        server.createContext("/", this::handle);
        server.start();
    }

    String endpoint() {
        return "http://" + host + ":" + server.getAddress().getPort();
    }

    /** No faults from now on; returns how many there were. */
    synchronized int heal() {
        share = 0;
        return failed;
    }

    /** 0 to 3 for a fault, 4 for none. */
    private synchronized int draw() {
        if (random.nextDouble() >= share) {
            return 4;
        }
        failed++;
        return random.nextInt(4);
    }

    private void handle(HttpExchange exchange) throws IOException {
        byte[] request = exchange.getRequestBody().readAllBytes();
        switch (draw()) {
            case 0 -> refuse(exchange);
            case 1 -> exchange.close();
            case 2 -> {
                forward(exchange, request);
                exchange.close();
            }
            case 3 -> answer(exchange, forward(exchange, request), true);
            default -> answer(exchange, forward(exchange, request), false);
        }
    }

    private static void refuse(HttpExchange exchange) throws IOException {
        byte[] body = "<?xml version=\"1.0\"?><Error><Code>SlowDown</Code></Error>".getBytes(UTF_8);
        boolean head = exchange.getRequestMethod().equals("HEAD");
        exchange.sendResponseHeaders(503, head ? -1 : body.length);
        if (!head) {
            exchange.getResponseBody().write(body);
        }
        exchange.close();
    }

    /** The store's whole answer. HTTP/1.0 keeps it in one piece. */
    private byte[] forward(HttpExchange exchange, byte[] body) throws IOException {
        StringBuilder head = new StringBuilder(exchange.getRequestMethod());
        head.append(' ').append(exchange.getRequestURI()).append(" HTTP/1.0\r\n");
        exchange.getRequestHeaders()
                .forEach(
                        (name, values) -> {
                            if (!name.matches("(?i)connection|expect|transfer-encoding")) {
                                values.forEach(
                                        v -> head.append(name + ": ").append(v).append("\r\n"));
                            }
                        });
        head.append("\r\n");
        try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), upstream)) {
            OutputStream out = socket.getOutputStream();
            out.write(head.toString().getBytes(ISO_8859_1));
            out.write(body);
            out.flush();
            return socket.getInputStream().readAllBytes();
        }
    }

    private static void answer(HttpExchange exchange, byte[] raw, boolean half) throws IOException {
        int end = new String(raw, ISO_8859_1).indexOf("\r\n\r\n");
        List<String> lines = List.of(new String(raw, 0, end, ISO_8859_1).split("\r\n", -1));
        byte[] body = Arrays.copyOfRange(raw, end + 4, raw.length);
        for (String line : lines.subList(1, lines.size())) {
            int colon = line.indexOf(':');
            String name = line.substring(0, colon);
            if (!name.matches("(?i)connection|transfer-encoding|content-length")
                    || exchange.getRequestMethod().equals("HEAD")) {
                exchange.getResponseHeaders().add(name, line.substring(colon + 1).trim());
            }
        }
        int status = Integer.parseInt(lines.get(0).split(" ", -1)[1]);
        boolean bare = exchange.getRequestMethod().equals("HEAD") || body.length == 0;
        exchange.sendResponseHeaders(status, bare ? -1 : body.length);
        if (!bare) {
            exchange.getResponseBody().write(body, 0, half ? body.length / 2 : body.length);
            exchange.getResponseBody().flush();
        }
        exchange.close();
    }

    @Override
    public void close() {
        server.stop(0);
        threads.shutdownNow();
    }
}
