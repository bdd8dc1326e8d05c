/**
 * The command {@code tidekv}: what a person types and what they read when it fails. One thread per
 * command; whatever else runs belongs to the roles or to {@link io.tidekv.cli.client}.
 */
@NullMarked
package io.tidekv.cli;

import org.jspecify.annotations.NullMarked;
