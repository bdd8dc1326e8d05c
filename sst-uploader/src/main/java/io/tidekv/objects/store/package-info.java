/**
 * The object store: one small interface and its implementations. {@code file:} for one machine,
 * {@code s3:} for S3 and what speaks like it, {@code memory:} for simulations, and a wrapper that
 * injects faults.
 *
 * <p>Threads: none of their own, except timers of the AWS client; every call runs on the caller's
 * thread and may block. Durability: an object is durable before its name can be seen, and its name
 * before a put returns.
 */
@NullMarked
package io.tidekv.objects.store;

import org.jspecify.annotations.NullMarked;
