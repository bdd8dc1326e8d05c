/** Placement driver. */
@NullMarked
package io.tidekv.pd;

import org.jspecify.annotations.NullMarked;
