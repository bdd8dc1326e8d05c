/** One role per process: its settings, its start, its orderly end at a signal. */
@NullMarked
package io.tidekv.cli.server;

import org.jspecify.annotations.NullMarked;
