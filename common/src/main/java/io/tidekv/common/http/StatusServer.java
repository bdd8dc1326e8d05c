package io.tidekv.common.http;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.tidekv.common.Threads;
import io.tidekv.common.config.HostPort;
import io.tidekv.common.metrics.Metrics;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.Map;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A small HTTP/1.1 server. Unknown paths are 404, known ones with another method 405, bodies over
 * {@link #BODY_BYTES_MAX} 413. Slow peers are cut off after 30 s.
 */
public final class StatusServer implements AutoCloseable {
    /** Longest request body. */
    public static final int BODY_BYTES_MAX = 1 << 20;

    private static final Logger log = LoggerFactory.getLogger(StatusServer.class);

    static {
        // Read once by the JDK's server; what the administrator has set stays.
        limit("sun.net.httpserver.maxReqTime", "30");
        limit("sun.net.httpserver.maxRspTime", "30");
        limit("sun.net.httpserver.maxIdleConnections", "32");
    }

    private final HttpServer server;
    private final ExecutorService workers;
    private final HostPort address;

    private StatusServer(HostPort address, Routes routes) throws IOException {
        server = HttpServer.create(address.toSocketAddress(), 64);
        this.address = address.withPort(server.getAddress().getPort());
        workers = Threads.pool("status-http", 2, 256);
        server.setExecutor(orInPlace(workers));
        server.createContext("/", exchange -> serve(routes, exchange));
        server.start();
    }

    /** Begins a server without routes. */
    public static Builder builder() {
        return new Builder();
    }

    /** Where it listens, with the real port. */
    public HostPort address() {
        return address;
    }

    public int port() {
        return address.port();
    }

    @Override
    public void close() {
        server.stop(0);
        workers.shutdownNow();
    }

    private static void limit(String property, String value) {
        if (System.getProperty(property) == null) {
            System.setProperty(property, value);
        }
    }

    /** With a full queue the dispatcher works itself, which stops it from accepting more. */
    private static Executor orInPlace(ExecutorService workers) {
        return task -> {
            try {
                workers.execute(task);
            } catch (RejectedExecutionException e) {
                if (!workers.isShutdown()) {
                    task.run();
                }
            }
        };
    }

    private static void serve(Routes routes, HttpExchange exchange) throws IOException {
        try (exchange) {
            send(exchange, answer(routes, exchange));
        }
    }

    private static HttpAnswer answer(Routes routes, HttpExchange exchange) throws IOException {
        String method = exchange.getRequestMethod();
        String path = exchange.getRequestURI().getRawPath();
        byte[] body = exchange.getRequestBody().readNBytes(BODY_BYTES_MAX + 1);
        if (body.length > BODY_BYTES_MAX) {
            return HttpAnswer.error(413, "the body is longer than " + BODY_BYTES_MAX + " bytes");
        }
        try {
            Routes.Found found = routes.find(method, path);
            if (found.page() != null) {
                Map<String, String> query = Routes.query(exchange.getRequestURI().getRawQuery());
                return found.page()
                        .answer(new HttpAsk(method, path, found.variables(), query, body));
            } else if (found.allowed().isEmpty()) {
                return HttpAnswer.error(404, "there is nothing at this path");
            }
            exchange.getResponseHeaders().set("Allow", found.allowed());
            return HttpAnswer.error(405, "this path answers " + found.allowed());
        } catch (IllegalArgumentException e) {
            return HttpAnswer.error(400, String.valueOf(e.getMessage()));
        } catch (Exception e) {
            log.warn("the page {} {} failed", method, path, e);
            return HttpAnswer.error(500, "this page failed; see the server's log");
        }
    }

    private static void send(HttpExchange exchange, HttpAnswer answer) throws IOException {
        exchange.getResponseHeaders().set("Content-Type", answer.contentType());
        if (exchange.getRequestMethod().equals("HEAD")) {
            exchange.getResponseHeaders()
                    .set("Content-Length", Integer.toString(answer.body().length));
            exchange.sendResponseHeaders(answer.status(), -1);
            return;
        }
        // Length 0 would mean chunked to the JDK's server.
        int length = answer.body().length;
        exchange.sendResponseHeaders(answer.status(), length == 0 ? -1 : length);
        if (length > 0) {
            exchange.getResponseBody().write(answer.body());
        }
    }

    /** Collects routes. Not thread-safe. */
    public static final class Builder {
        private final Routes routes = new Routes();

        private Builder() {}

        /** Adds a page; {@code path} may hold {@code {name}} parts, earlier routes win. */
        public Builder route(String method, String path, HttpPage page) {
            routes.add(method, path, page);
            return this;
        }

        public Builder get(String path, HttpPage page) {
            return route("GET", path, page);
        }

        /** {@code /metrics} in Prometheus' text format. */
        public Builder metrics(Metrics metrics) {
            return get(
                    "/metrics",
                    ask -> {
                        ByteArrayOutputStream out = new ByteArrayOutputStream(16_384);
                        metrics.expose(out);
                        return new HttpAnswer(200, Metrics.CONTENT_TYPE, out.toByteArray());
                    });
        }

        /** {@code /config}: the settings in force, as TOML. */
        public Builder config(Supplier<String> toml) {
            return get("/config", ask -> HttpAnswer.text(toml.get()));
        }

        /** {@code /status}: a value that Jackson can write. */
        public Builder status(Supplier<?> status) {
            return get("/status", ask -> HttpAnswer.json(status.get()));
        }

        /** {@code /health}: 200 when {@code problem} gives an empty text, else 503 with it. */
        public Builder health(Supplier<String> problem) {
            return get(
                    "/health",
                    ask -> {
                        String text = problem.get();
                        return text.isEmpty()
                                ? HttpAnswer.json(Map.of("health", "ok"))
                                : HttpAnswer.json(503, Map.of("health", "failed", "error", text));
                    });
        }

        /** Binds and serves; port 0 takes a free one. */
        public StatusServer start(HostPort address) throws IOException {
            return new StatusServer(address, routes);
        }
    }
}
