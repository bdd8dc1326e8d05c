package io.tidekv.common.http;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import java.nio.charset.StandardCharsets;
import java.util.Map;

/** What a page answers. */
@SuppressWarnings("ArrayRecordComponent") // not compared, never kept
public record HttpAnswer(int status, String contentType, byte[] body) {

    /** 200 with plain text. */
    public static HttpAnswer text(String body) {
        return text(200, body);
    }

    public static HttpAnswer text(int status, String body) {
        return new HttpAnswer(
                status, "text/plain; charset=utf-8", body.getBytes(StandardCharsets.UTF_8));
    }

    /** 200 with a value that Jackson can write: maps, lists, records, strings, numbers. */
    public static HttpAnswer json(Object value) {
        return json(200, value);
    }

    public static HttpAnswer json(int status, Object value) {
        try {
            byte[] body = Json.MAPPER.writeValueAsBytes(value);
            return new HttpAnswer(status, "application/json; charset=utf-8", body);
        } catch (JsonProcessingException e) {
            throw new IllegalArgumentException(e);
        }
    }

    /** A refusal; {@code message} says what to do. */
    public static HttpAnswer error(int status, String message) {
        return json(status, Map.of("error", message));
    }

    /** Made at the first use: many processes never answer JSON. */
    private static final class Json {
        static final ObjectMapper MAPPER =
                new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT);
    }
}
