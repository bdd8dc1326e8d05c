/**
 * Watching stores and moving regions: who is alive, who owns what next, which orders are under way.
 * Soft state of the leading PD, lost and rebuilt from the stores' reports when another one leads.
 * Decisions only: called from one thread, told the time, answers with commands and orders.
 */
@NullMarked
package io.tidekv.pd.schedule;

import org.jspecify.annotations.NullMarked;
