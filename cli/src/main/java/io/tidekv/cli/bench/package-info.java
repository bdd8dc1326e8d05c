/** Closed-loop load and what it cost. */
@NullMarked
package io.tidekv.cli.bench;

import org.jspecify.annotations.NullMarked;
