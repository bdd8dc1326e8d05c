package io.tidekv.compute.tablet;

import io.tidekv.proto.region.ObjectRef;
import org.jspecify.annotations.Nullable;

/**
 * Who publishes and on top of what.
 *
 * @param term term of the leader that publishes
 * @param parent the region's current record; null when it has none
 */
public record PublishRequest(long term, @Nullable ObjectRef parent) {}
