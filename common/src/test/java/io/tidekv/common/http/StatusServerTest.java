package io.tidekv.common.http;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidekv.common.config.HostPort;
import io.tidekv.common.metrics.Metrics;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.Map;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class StatusServerTest {
    private final AtomicReference<String> problem = new AtomicReference<>("");
    private final HttpClient client = HttpClient.newHttpClient();
    private StatusServer server;

    @BeforeEach
    void start() throws IOException {
        Metrics metrics = new Metrics();
        metrics.counter("tidekv_test_total", "A test.").inc(3);
        server =
                StatusServer.builder()
                        .metrics(metrics)
                        .config(() -> "a = 1\n")
                        .status(() -> Map.of("regions", 7))
                        .health(problem::get)
                        .get(
                                "/region/{id}",
                                ask -> HttpAnswer.text(ask.variables() + "" + ask.query()))
                        .route("POST", "/echo", ask -> new HttpAnswer(200, "x/y", ask.body()))
                        .get("/bad", ask -> HttpAnswer.text("" + Integer.parseInt("x")))
                        .get(
                                "/broken",
                                ask -> {
                                    throw new IllegalStateException("inside");
                                })
                        .start(new HostPort("127.0.0.1", 0));
    }

    @AfterEach
    void stop() {
        server.close();
    }

    private HttpResponse<String> send(String method, String path, byte[] body) throws Exception {
        URI uri = URI.create("http://127.0.0.1:" + server.port() + path);
        HttpRequest request =
                HttpRequest.newBuilder(uri)
                        .method(method, BodyPublishers.ofByteArray(body))
                        .build();
        return client.send(request, BodyHandlers.ofString());
    }

    private HttpResponse<String> get(String path) throws Exception {
        return send("GET", path, new byte[0]);
    }

    @Test
    void pagesAnswer() throws Exception {
        assertThat(get("/config").body()).isEqualTo("a = 1\n");
        assertThat(get("/status").body()).contains("\"regions\" : 7");
        HttpResponse<String> metrics = get("/metrics");
        assertThat(metrics.body())
                .contains("tidekv_test_total 3.0")
                .contains("jvm_threads_current");
        assertThat(metrics.headers().firstValue("content-type").orElse(""))
                .startsWith("text/plain; version=0.0.4");
        assertThat(get("/region/a%2Fb+c?x=1+2&y").body()).isEqualTo("{id=a/b+c}{x=1 2, y=}");
        assertThat(send("POST", "/echo", new byte[] {65, 66}).body()).isEqualTo("AB");
        assertThat(send("POST", "/echo", new byte[0]).body()).isEmpty();
        HttpResponse<String> head = send("HEAD", "/config", new byte[0]);
        assertThat(head.statusCode()).isEqualTo(200);
        assertThat(head.body()).isEmpty();
    }

    @Test
    void healthTellsTheProblem() throws Exception {
        assertThat(get("/health").statusCode()).isEqualTo(200);
        problem.set("disk gone");
        assertThat(get("/health").statusCode()).isEqualTo(503);
        assertThat(get("/health").body()).contains("disk gone");
    }

    @Test
    void wrongRequestsAreTold() throws Exception {
        assertThat(get("/nothing").statusCode()).isEqualTo(404);
        assertThat(get("/region/").statusCode()).isEqualTo(404);
        HttpResponse<String> wrongMethod = send("POST", "/config", new byte[0]);
        assertThat(wrongMethod.statusCode()).isEqualTo(405);
        assertThat(wrongMethod.headers().firstValue("allow")).contains("GET, HEAD");
        assertThat(get("/bad").statusCode()).isEqualTo(400);
        assertThat(get("/broken").statusCode()).isEqualTo(500);
        assertThat(get("/broken").body()).doesNotContain("inside");
        byte[] long_ = new byte[StatusServer.BODY_BYTES_MAX + 1];
        assertThat(send("POST", "/echo", long_).statusCode()).isEqualTo(413);
        byte[] longest = new byte[StatusServer.BODY_BYTES_MAX];
        assertThat(send("POST", "/echo", longest).body()).hasSize(longest.length);
    }
}
