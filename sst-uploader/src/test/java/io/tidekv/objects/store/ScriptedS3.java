package io.tidekv.objects.store;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.tidekv.common.Threads;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;

/** A server that answers with what was scripted, one answer per request. */
final class ScriptedS3 implements AutoCloseable {
    private final HttpServer server;
    private final ExecutorService threads = Threads.pool("scripted-s3", 4, 100);
    private final ArrayDeque<Answer> script = new ArrayDeque<>();
    private Answer otherwise = error(500, "InternalError");
    private final List<String> requests = new ArrayList<>();
    private final List<Map<String, String>> headers = new ArrayList<>();
    private final CountDownLatch closed = new CountDownLatch(1);
    private boolean hangs;
    private boolean hangsInBody;

    /** {@code promised} is the length in the header; a shorter body is cut off. */
    record Answer(int status, Map<String, String> headers, byte[] body, int promised) {}

    ScriptedS3() throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 10);
        server.setExecutor(threads);
        server.createContext("/", this::handle);
        server.start();
    }

    static Answer ok(byte[] body, String... headers) {
        Map<String, String> map = new LinkedHashMap<>();
        for (int i = 0; i < headers.length; i += 2) {
            map.put(headers[i], headers[i + 1]);
        }
        return new Answer(200, map, body, body.length);
    }

    static Answer error(int status, String code) {
        byte[] body =
                ("<?xml version=\"1.0\"?><Error><Code>"
                                + code
                                + "</Code><Message>m</Message></Error>")
                        .getBytes(UTF_8);
        return new Answer(status, Map.of(), body, body.length);
    }

    synchronized ScriptedS3 then(Answer... answers) {
        script.addAll(List.of(answers));
        return this;
    }

    synchronized void otherwise(Answer answer) {
        otherwise = answer;
    }

    /** From now on requests get no answer. */
    synchronized void hang() {
        hangs = true;
    }

    /** From now on answers stop after half of their bodies. */
    synchronized void hangInBody() {
        hangsInBody = true;
    }

    private void await() {
        try {
            closed.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    synchronized List<String> requests() {
        return List.copyOf(requests);
    }

    synchronized Map<String, String> headersOf(int request) {
        return headers.get(request);
    }

    String uri() {
        return "s3://bucket?endpoint=http://127.0.0.1:"
                + server.getAddress().getPort()
                + "&access-key=AKIDEXAMPLE&secret-key=topsecret";
    }

    private void handle(HttpExchange exchange) throws IOException {
        exchange.getRequestBody().readAllBytes();
        Answer answer;
        boolean silent;
        boolean halting;
        synchronized (this) {
            silent = hangs;
            halting = hangsInBody;
            requests.add(exchange.getRequestMethod() + " " + exchange.getRequestURI());
            Map<String, String> seen = new LinkedHashMap<>();
            exchange.getRequestHeaders()
                    .forEach((name, values) -> seen.put(name.toLowerCase(), values.get(0)));
            headers.add(seen);
            answer = script.isEmpty() ? otherwise : script.poll();
        }
        if (silent) {
            await();
        }
        answer.headers().forEach(exchange.getResponseHeaders()::set);
        boolean head = exchange.getRequestMethod().equals("HEAD");
        if (head) {
            exchange.getResponseHeaders().set("Content-Length", "" + answer.promised());
        }
        exchange.sendResponseHeaders(
                answer.status(), head || answer.promised() == 0 ? -1 : answer.promised());
        if (!head && answer.promised() > 0) {
            int sent = halting ? answer.body().length / 2 : answer.body().length;
            exchange.getResponseBody().write(answer.body(), 0, sent);
            exchange.getResponseBody().flush();
            if (halting) {
                await();
            }
        }
        exchange.close();
    }

    @Override
    public void close() {
        closed.countDown();
        server.stop(0);
        threads.shutdownNow();
    }
}
