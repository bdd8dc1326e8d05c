package io.tidekv.wal.storage;

import java.io.IOException;
import java.util.UUID;

/** Opens the storage of a node, and repairs it first when it is damaged. One thread at a time. */
public final class NodeStorage {
    private final WalFiles files;
    private final UUID node;
    private final StorageOptions options;
    private final RepairBounds.Source bounds;

    public NodeStorage(
            WalFiles files, UUID node, StorageOptions options, RepairBounds.Source bounds) {
        this.files = files;
        this.node = node;
        this.options = options;
        this.bounds = bounds;
    }

    /**
     * Opens it.
     *
     * @throws IOException it cannot be opened, or not be repaired now
     */
    public SegmentStore open() throws IOException {
        try {
            return SegmentStore.open(files, node, options);
        } catch (StorageDamageException e) {
            return repaired(e);
        }
    }

    /** As {@link SegmentStore#reopen}. */
    public SegmentStore reopen(SegmentStore failed) throws IOException {
        try {
            return failed.reopen();
        } catch (StorageDamageException e) {
            return repaired(e);
        }
    }

    private SegmentStore repaired(StorageDamageException found) throws IOException {
        new SegmentRepair(files, node, options, bounds).run(found);
        return SegmentStore.open(files, node, options);
    }
}
