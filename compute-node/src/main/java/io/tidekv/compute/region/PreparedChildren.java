package io.tidekv.compute.region;

import com.google.protobuf.ByteString;
import io.tidekv.common.error.KvException;
import io.tidekv.compute.tablet.ChildRecords;
import io.tidekv.compute.tablet.PreparedRecord;
import io.tidekv.compute.tablet.PublishRequest;
import io.tidekv.compute.tablet.Publisher;
import io.tidekv.compute.tablet.RegionState;
import io.tidekv.compute.tablet.Tablet;
import io.tidekv.proto.cluster.ChildIds;
import io.tidekv.proto.manifest.TabletRecord;
import io.tidekv.proto.region.Entry;
import io.tidekv.proto.region.EntryKind;
import io.tidekv.proto.region.RegionShape;
import io.tidekv.proto.region.SplitChild;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The children of a split that is being prepared: a first record of each in the object store, and a
 * tablet opened at it, which is fed with what the parent goes on to write. Used by one thread at a
 * time: a pool's, or the parent's loop.
 */
final class PreparedChildren {
    private static final Logger log = LoggerFactory.getLogger(PreparedChildren.class);

    /** One child. */
    private static final class Child {
        private final SplitChild planned;
        private final WarmTablet warm;

        Child(SplitChild planned, WarmTablet warm) {
            this.planned = planned;
            this.warm = warm;
        }
    }

    private final RegionEnv env;
    private final Map<Long, Child> byRegion = new LinkedHashMap<>();
    private long coveredIndex;
    private boolean useless;

    private PreparedChildren(RegionEnv env) {
        this.env = env;
    }

    /**
     * Drafts the parent as it is, derives and stores the first records, opens the tablets. Blocks
     * for a flush and for uploads, while the parent serves.
     *
     * @param shapes of the children, with their ids
     */
    static PreparedChildren make(
            RegionEnv env,
            Tablet parent,
            PublishRequest request,
            List<ChildIds> ids,
            List<RegionShape> shapes) {
        Publisher publisher = env.tablets().publisher();
        TabletRecord draft = publisher.draft(parent, request);
        PreparedChildren made = new PreparedChildren(env);
        made.coveredIndex = draft.getAppliedIndex();
        try {
            for (int i = 0; i < ids.size(); i++) {
                made.add(publisher, draft, ids.get(i), shapes.get(i));
            }
            return made;
        } catch (RuntimeException e) {
            made.close();
            throw e;
        }
    }

    private void add(Publisher publisher, TabletRecord draft, ChildIds ids, RegionShape shape) {
        TabletRecord record = ChildRecords.clip(draft, shape, ids.getFirstTerm());
        PreparedRecord first = new PreparedRecord(publisher.store(record), record);
        SplitChild planned =
                SplitChild.newBuilder()
                        .setShape(shape)
                        .setFirstRecord(first.ref())
                        .setConfig(ids.getConfig())
                        .setFirstTerm(ids.getFirstTerm())
                        .setFirstOwner(env.owner())
                        .build();
        Tablet tablet = env.tablets().open(first, shape);
        env.tabletsOpen().incrementAndGet();
        RegionMachine machine = new RegionMachine(RegionState.fresh(shape), first.ref());
        byRegion.put(shape.getRegionId(), new Child(planned, new WarmTablet(tablet, machine)));
    }

    /** The parent's last entry that the first records hold. */
    long coveredIndex() {
        return coveredIndex;
    }

    List<SplitChild> planned() {
        List<SplitChild> planned = new ArrayList<>();
        byRegion.values().forEach(child -> planned.add(child.planned));
        return planned;
    }

    /**
     * Hands on what the parent has written. Entries that the first records hold are passed over.
     * When a tablet cannot take more the children are opened from record and log later.
     */
    void feed(List<Entry> entries) {
        for (Entry entry : entries) {
            boolean news = entry.getIndex() > coveredIndex;
            if (useless || !news || entry.getKind() != EntryKind.WRITE) {
                continue;
            }
            for (Child child : byRegion.values()) {
                ByteString part = BatchBytes.within(entry.getData(), child.planned.getShape());
                if (part != null) {
                    useless |= !inherit(child.warm.tablet(), part);
                }
            }
        }
    }

    private static boolean inherit(Tablet tablet, ByteString part) {
        try {
            tablet.inherit(part);
            return true;
        } catch (KvException e) {
            log.info("a child is opened from its record and the log: {}", e.getMessage());
            return false;
        }
    }

    /** The tablet of a child that has everything; the caller closes it. Null: there is none. */
    @Nullable WarmTablet take(long regionId) {
        if (useless) {
            return null;
        }
        Child child = byRegion.remove(regionId);
        return child == null ? null : child.warm;
    }

    /** Closes the tablets that nobody has taken. */
    void close() {
        byRegion.values().forEach(child -> env.close(child.warm.tablet()));
        byRegion.clear();
    }
}
