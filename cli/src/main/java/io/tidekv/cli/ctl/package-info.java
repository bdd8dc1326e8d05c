/** Looking at a cluster and giving it orders, through PD. */
@NullMarked
package io.tidekv.cli.ctl;

import org.jspecify.annotations.NullMarked;
