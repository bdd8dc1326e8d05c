package io.tidekv.wal.storage;

import io.tidekv.proto.region.Entry;
import io.tidekv.proto.wal.VoterMeta;
import io.tidekv.wal.core.Relearning;
import io.tidekv.wal.core.VoterStorageException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Makes a damaged folder usable again without pretending: what is whole is written anew, a region
 * that may lack what it had acknowledged becomes a learner, and all segments before are kept aside.
 * May end at any point; then the damage is found again.
 */
final class SegmentRepair {
    private static final Logger logger = LoggerFactory.getLogger(SegmentRepair.class);

    private static final int PIECE_BYTES = 4 << 20;

    private final WalFiles files;
    private final UUID node;
    private final StorageOptions options;
    private final RepairBounds.Source source;
    private long learners;
    private long copied;

    SegmentRepair(WalFiles files, UUID node, StorageOptions options, RepairBounds.Source source) {
        this.files = files;
        this.node = node;
        this.options = options;
        this.source = source;
    }

    /**
     * Repairs the folder, whose segments nobody else has open.
     *
     * @throws IOException it could not be done now; says what to do
     */
    void run(StorageDamageException found) throws IOException {
        logger.error(
                "{} at byte {}: {}. Repairing: what is lost is taken from the other voters",
                found.file(),
                found.offset(),
                found.what());
        RepairSwap swap = new RepairSwap(files);
        swap.finish();
        try (SegmentSalvage salvage = new SegmentSalvage(files, node)) {
            salvage.read();
            boolean doubtful = salvage.logs().doubtful();
            RepairBounds bounds = doubtful ? source.ask() : new RepairBounds(0, java.util.Map.of());
            if (doubtful) {
                ForgottenFile.raise(files, bounds.nextId());
            }
            long first = salvage.nextSegment();
            try {
                write(salvage, bounds, first);
            } catch (VoterStorageException e) {
                throw new IOException("the repair needs more space in " + files.location(), e);
            }
            salvage.damaged().add(found.file());
            swap.decide(first, salvage.damaged());
            swap.finish();
            logger.warn(
                    "repaired: {} regions have to catch up, {} bytes are whole; the old segments"
                            + " are kept as *{} and *{}",
                    learners,
                    copied,
                    RepairSwap.DAMAGED,
                    RepairSwap.ASIDE);
        }
    }

    private void write(SegmentSalvage salvage, RepairBounds bounds, long first) throws IOException {
        RepairFiles fresh = new RepairFiles(files);
        SegmentLog.create(fresh, new SegmentHeader(node, first, 0, salvage.nextBatch()))
                .file
                .close();
        try (SegmentStore store = SegmentStore.open(fresh, node, options)) {
            for (RegionLog region : salvage.logs().regions()) {
                copy(salvage, region, bounds, store);
            }
            for (var each : bounds.regions().entrySet()) {
                if (each.getValue().here() && salvage.logs().isLost(each.getKey())) {
                    store.putMeta(each.getKey(), forgotten(each.getValue()));
                    learners++;
                }
            }
            save(store);
            store.mark();
        }
    }

    /** Copies entries up to the first that is missing or unreadable. */
    private void copy(
            SegmentSalvage salvage, RegionLog region, RepairBounds bounds, SegmentStore store)
            throws IOException {
        long id = region.regionId();
        VoterMeta meta = region.meta();
        boolean lacking = salvage.logs().doubtful(id);
        if (lacking) {
            RepairBounds.Region bound = bounds.regions().get(id);
            meta =
                    bound == null
                            ? Relearning.lacking(meta)
                            : Relearning.forgetful(meta, bound.term(), bound.owner());
        }
        store.putMeta(id, meta);
        List<Entry> piece = new ArrayList<>();
        long bytes = 0;
        for (long index = region.snapshotIndex() + 1; index <= region.lastIndex(); index++) {
            Entry entry = region.entries.has(index) ? salvage.entry(region, index) : null;
            if (entry == null) {
                store.putMeta(id, Relearning.lacking(meta));
                lacking = true;
                break;
            }
            piece.add(entry);
            bytes += LogRecord.size(entry);
            if (bytes > PIECE_BYTES) {
                append(store, id, piece);
                bytes = 0;
            }
        }
        append(store, id, piece);
        learners += lacking ? 1 : 0;
    }

    private void append(SegmentStore store, long regionId, List<Entry> piece) throws IOException {
        if (!piece.isEmpty()) {
            store.append(regionId, piece);
            piece.forEach(entry -> copied += LogRecord.size(entry));
            piece.clear();
        }
        if (store.unwritten() > PIECE_BYTES) {
            save(store);
        }
    }

    private static void save(SegmentStore store) throws IOException {
        store.commit();
        store.maintain(0);
    }

    private static VoterMeta forgotten(RepairBounds.Region region) {
        VoterMeta nothing = VoterMeta.newBuilder().setConfig(region.config()).build();
        return Relearning.forgetful(nothing, region.term(), region.owner());
    }
}
