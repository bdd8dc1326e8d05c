/**
 * The in-memory twin of tablets on RocksDB, for simulation and tests: same records, same object
 * store, no files, no threads, no native code. An object holds a write batch instead of a table, so
 * the twins cannot read each other's objects.
 */
@NullMarked
package io.tidekv.compute.tablet.memory;

import org.jspecify.annotations.NullMarked;
