/**
 * The part of RocksDB's table format that says where in a file a key is, so that a piece of the
 * file can be fetched before RocksDB reads it.
 *
 * <p>Pure. What is not understood is refused, and the file is then fetched whole.
 */
@NullMarked
package io.tidekv.compute.tablet.table;

import org.jspecify.annotations.NullMarked;
