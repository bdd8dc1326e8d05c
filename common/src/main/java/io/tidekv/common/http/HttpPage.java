package io.tidekv.common.http;

/** Answers one route; called on a worker thread, several at a time. */
@FunctionalInterface
public interface HttpPage {
    /**
     * What escapes becomes a 500 and is logged; an {@link IllegalArgumentException} becomes a 400.
     */
    HttpAnswer answer(HttpAsk ask) throws Exception;
}
