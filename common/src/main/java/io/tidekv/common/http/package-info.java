/**
 * The status HTTP server of a role: a few small pages for people, Prometheus and scripts. One
 * dispatcher thread and at most two workers, which end when idle. Not for bulk data.
 */
@NullMarked
package io.tidekv.common.http;

import org.jspecify.annotations.NullMarked;
