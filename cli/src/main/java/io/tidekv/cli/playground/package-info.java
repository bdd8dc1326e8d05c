/**
 * A whole cluster on one machine, in one process or one per role. Roles start in parallel after PD
 * and stop in the order compute, WAL, PD.
 */
@NullMarked
package io.tidekv.cli.playground;

import org.jspecify.annotations.NullMarked;
