/**
 * RocksDB's MANIFEST in plain Java: reads the one that a running RocksDB writes, writes a compact
 * one from our record. With it every change of a tablet by metadata (open, split, adopt) is an edit
 * of a file list. Pure: bytes in, bytes out; no I/O, no threads.
 *
 * <p>The format is RocksDB's own (db/log_format.h, db/version_edit.h), versioned by tags that a
 * reader may or may not ignore. Whatever it may not ignore and we do not know is refused.
 */
@NullMarked
package io.tidekv.compute.tablet.manifest;

import org.jspecify.annotations.NullMarked;
