package io.tidekv.objects.store;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.tidekv.common.Randomness;
import io.tidekv.common.Threads;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import org.jspecify.annotations.Nullable;

/**
 * Stands between a client and a real store of the S3 kind and does to single requests what networks
 * and stores do. Requests are passed on with their own headers, so signatures stay right.
 */
final class FaultProxy implements AutoCloseable {
    /** What happens to a request. */
    enum Fault {
        /** 503 SlowDown, without effect. */
        SLOW_DOWN,
        /** 500, without effect. */
        INTERNAL_ERROR,
        /** The connection breaks before the store has the request. */
        LOST_REQUEST,
        /** The request takes effect and its answer is lost. */
        LOST_ANSWER,
        /** Half of the body, then the connection breaks. */
        SHORT_BODY,
        /** A bit of the body is another. */
        FLIPPED_BIT,
        /** 409, as when two conditional puts meet. */
        CONFLICT,
        /** 403, until the credentials are renewed. */
        EXPIRED
    }

    private final URI upstream;
    private final HttpServer server;
    private final ExecutorService threads = Threads.pool("fault-proxy", 8, 100);
    private final ArrayDeque<Fault> planned = new ArrayDeque<>();
    private final Map<Fault, Integer> done = new EnumMap<>(Fault.class);
    private final Randomness random;
    private List<Fault> atRandom = List.of();
    private double chance;
    private int skipped;

    FaultProxy(String upstream, Randomness random) throws IOException {
        this.upstream = URI.create(upstream);
        this.random = random;
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 20);
        server.setExecutor(threads);
        server.createContext("/", this::handle);
        server.start();
    }

    String endpoint() {
        return "http://127.0.0.1:" + server.getAddress().getPort();
    }

    /** The next requests suffer these, in this order. */
    synchronized void next(Fault... faults) {
        planned.addAll(List.of(faults));
    }

    /** The next requests pass, before what is planned after this. */
    synchronized void skip(int requests) {
        skipped = requests;
    }

    synchronized void atRandom(double share, Fault... faults) {
        chance = share;
        atRandom = List.of(faults);
    }

    synchronized Map<Fault, Integer> done() {
        return new EnumMap<>(done);
    }

    private synchronized @Nullable Fault draw() {
        if (skipped > 0) {
            skipped--;
            return null;
        }
        Fault fault = planned.poll();
        if (fault == null && !atRandom.isEmpty() && random.chance(chance)) {
            fault = atRandom.get(random.nextInt(atRandom.size()));
        }
        if (fault != null) {
            done.merge(fault, 1, Integer::sum);
        }
        return fault;
    }

    private void handle(HttpExchange exchange) throws IOException {
        byte[] request = exchange.getRequestBody().readAllBytes();
        Fault fault = draw();
        if (fault == null) {
            answer(exchange, forward(exchange, request), null);
            return;
        }
        switch (fault) {
            case SLOW_DOWN -> refuse(exchange, 503, "SlowDown");
            case INTERNAL_ERROR -> refuse(exchange, 500, "InternalError");
            case CONFLICT -> refuse(exchange, 409, "ConditionalRequestConflict");
            case EXPIRED -> refuse(exchange, 403, "ExpiredToken");
            case LOST_REQUEST -> exchange.close();
            case LOST_ANSWER -> {
                forward(exchange, request);
                exchange.close();
            }
            case SHORT_BODY, FLIPPED_BIT -> answer(exchange, forward(exchange, request), fault);
        }
    }

    private static void refuse(HttpExchange exchange, int status, String code) throws IOException {
        byte[] body =
                ("<?xml version=\"1.0\"?><Error><Code>" + code + "</Code></Error>").getBytes(UTF_8);
        boolean head = exchange.getRequestMethod().equals("HEAD");
        exchange.sendResponseHeaders(status, head ? -1 : body.length);
        if (!head) {
            exchange.getResponseBody().write(body);
        }
        exchange.close();
    }

    /** The store's whole answer. HTTP/1.0 keeps it in one piece. */
    private byte[] forward(HttpExchange exchange, byte[] body) throws IOException {
        StringBuilder head = new StringBuilder();
        head.append(exchange.getRequestMethod()).append(' ').append(exchange.getRequestURI());
        head.append(" HTTP/1.0\r\n");
        exchange.getRequestHeaders()
                .forEach(
                        (name, values) -> {
                            if (!name.matches("(?i)connection|expect|transfer-encoding")) {
                                values.forEach(
                                        v ->
                                                head.append(name)
                                                        .append(": ")
                                                        .append(v)
                                                        .append("\r\n"));
                            }
                        });
        head.append("\r\n");
        try (Socket socket = new Socket(upstream.getHost(), upstream.getPort())) {
            OutputStream out = socket.getOutputStream();
            out.write(head.toString().getBytes(ISO_8859_1));
            out.write(body);
            out.flush();
            return socket.getInputStream().readAllBytes();
        }
    }

    private void answer(HttpExchange exchange, byte[] raw, @Nullable Fault fault)
            throws IOException {
        int end = new String(raw, ISO_8859_1).indexOf("\r\n\r\n");
        String[] lines = new String(raw, 0, end, ISO_8859_1).split("\r\n");
        byte[] body = Arrays.copyOfRange(raw, end + 4, raw.length);
        for (String line : Arrays.asList(lines).subList(1, lines.length)) {
            int colon = line.indexOf(':');
            String name = line.substring(0, colon);
            if (!name.matches("(?i)connection|transfer-encoding")) {
                exchange.getResponseHeaders().add(name, line.substring(colon + 1).trim());
            }
        }
        int status = Integer.parseInt(lines[0].split(" ")[1]);
        boolean bare = exchange.getRequestMethod().equals("HEAD") || body.length == 0;
        exchange.sendResponseHeaders(status, bare ? -1 : body.length);
        if (!bare) {
            int length = fault == Fault.SHORT_BODY ? body.length / 2 : body.length;
            if (fault == Fault.FLIPPED_BIT) {
                body[random.nextInt(body.length)] ^= 4;
            }
            exchange.getResponseBody().write(body, 0, length);
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
