/** What every process shares: invariants, injected randomness and threads. No state of its own. */
@NullMarked
package io.tidekv.common;

import org.jspecify.annotations.NullMarked;
