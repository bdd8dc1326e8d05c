package io.tidekv.common.http;

import java.util.Map;

/**
 * A request.
 *
 * @param variables values of the {@code {name}} parts of the route, percent-decoded
 * @param query query parameters, percent-decoded; the last of equals wins
 * @param body at most {@link StatusServer#BODY_BYTES_MAX} bytes
 */
@SuppressWarnings("ArrayRecordComponent") // not compared, never kept
public record HttpAsk(
        String method,
        String path,
        Map<String, String> variables,
        Map<String, String> query,
        byte[] body) {}
