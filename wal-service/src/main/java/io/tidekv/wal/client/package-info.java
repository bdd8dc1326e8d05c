/** How a compute node reaches the WAL nodes. */
@NullMarked
package io.tidekv.wal.client;

import org.jspecify.annotations.NullMarked;
