package io.tidekv.compute.tablet.rocks;

import java.nio.file.Path;

/**
 * Where an open tablet's files are.
 *
 * @param meta RocksDB's directory: MANIFEST, CURRENT, OPTIONS, LOG
 * @param tables table files under their local numbers, most of them hard links
 * @param pins hard links of table files that are not in the object store yet, so that RocksDB can
 *     drop them meanwhile
 */
record TabletFolder(Path meta, Path tables, Path pins) {}
