package io.tidekv.compute.tablet;

import io.tidekv.proto.manifest.TabletRecord;
import io.tidekv.proto.region.ObjectRef;

/**
 * A record in the object store and where it is. Fresh from the publisher it is not the region's
 * yet: a ManifestCommit makes it so.
 */
public record PreparedRecord(ObjectRef ref, TabletRecord record) {}
