/**
 * PD's HTTP API for people, scripts, pd-ctl and TiDB's tools, in the JSON shapes of PD (tikv/pd:
 * pkg/response). Runs on the event loops: pages are made from memory and never block.
 */
@NullMarked
package io.tidekv.pd.http;

import org.jspecify.annotations.NullMarked;
