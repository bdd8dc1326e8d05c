/** The tidekv command. */
@NullMarked
package io.tidekv.cli;

import org.jspecify.annotations.NullMarked;
