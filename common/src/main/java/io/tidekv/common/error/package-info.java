/** The typed errors of the data path and their one mapping to the wire. */
@NullMarked
package io.tidekv.common.error;

import org.jspecify.annotations.NullMarked;
