/** Golden scripts: short talks between leaders and voters, told line by line. */
@NullMarked
package io.tidekv.sim.script;

import org.jspecify.annotations.NullMarked;
