package io.tidekv.objects.backup;

import io.tidekv.common.Randomness;
import io.tidekv.objects.gc.CollectionStopped;
import io.tidekv.objects.manifest.ObjectKeys;
import io.tidekv.objects.store.ObjectStore;
import io.tidekv.objects.store.ObjectStore.ObjectInfo;
import io.tidekv.objects.store.StoreContext;
import java.time.Duration;
import java.util.List;

/**
 * Clusters that begin with what another one has: each with a prefix of its own, in which it writes,
 * and names of the other's table files, which it only reads. The other one, its parent, holds those
 * as it holds a backup. Blocking.
 */
public final class Branches {
    private static final int DELETES_PER_SECOND = 500;

    private final ObjectStore store;
    private final long parentId;
    private final Backups holds;
    private final StoreContext context;

    /**
     * @param store all clusters' view of the object store
     */
    public Branches(ObjectStore store, long parentId, StoreContext context) {
        this.store = store;
        this.parentId = parentId;
        this.context = context;
        this.holds = new Backups(store.under(ObjectKeys.cluster(parentId)), context.randomness());
    }

    /** Holds the states of {@code source} for a new cluster, whose id is in the answer. */
    public BackupSet hold(String name, CutSource source) {
        return holds.hold(name, parentId, newId(), source);
    }

    private long newId() {
        Randomness random = context.randomness();
        for (long id = random.nextLong() >>> 1; ; id = random.nextLong() >>> 1) {
            if (id != 0 && store.list(ObjectKeys.cluster(id) + "/", "", 1).isEmpty()) {
                return id;
            }
        }
    }

    /** All branches, by name. */
    public List<BackupSet> list() {
        return holds.list().stream().filter(BackupSet::isBranch).toList();
    }

    /**
     * Deletes everything that the branch has written, then lets go of what its parent has held for
     * it. No process of it may run any more. Going on after a crash is to begin again. Throws
     * {@link CollectionStopped} when others begin with what it has, or there is no such branch.
     */
    public void delete(String name) throws InterruptedException {
        BackupSet branch = holds.find(name);
        if (branch == null || !branch.isBranch()) {
            throw new CollectionStopped("there is no branch " + name);
        }
        ObjectStore own = store.under(ObjectKeys.cluster(branch.branchId()));
        List<BackupSet> held = new Backups(own, context.randomness()).list();
        if (!held.isEmpty()) {
            throw new CollectionStopped(
                    "the branch has "
                            + (held.get(0).isBranch() ? "a branch " : "a backup ")
                            + held.get(0).name()
                            + " of its own: delete that first, with --cluster "
                            + Long.toUnsignedString(branch.branchId()));
        }
        for (List<ObjectInfo> page = own.list("", "", ObjectStore.PAGE);
                !page.isEmpty();
                page = own.list("", "", ObjectStore.PAGE)) {
            for (ObjectInfo object : page) {
                own.delete(object.name());
                context.sleeper().sleep(Duration.ofNanos(1_000_000_000L / DELETES_PER_SECOND));
            }
        }
        // Last: until then the parent keeps what the branch may still be asked for.
        holds.delete(name);
    }
}
