package io.tidekv.wal.storage;

import io.tidekv.proto.region.Owner;
import io.tidekv.proto.region.VoterConfig;
import java.util.Map;

/**
 * What PD knows of all regions, asked after the node's last answer: what bounds that which the node
 * may have forgotten.
 *
 * @param nextId no region with this id or a higher one existed then
 * @param regions by id
 */
public record RepairBounds(long nextId, Map<Long, Region> regions) {
    /**
     * A region.
     *
     * @param term the highest that was issued; 0 when none
     * @param here whether the config names this node
     */
    public record Region(long term, Owner owner, VoterConfig config, boolean here) {}

    /** Asks for them; may wait for PD. */
    public interface Source {
        RepairBounds ask() throws java.io.IOException;
    }
}
