package io.tidekv.cli.ctl;

import io.tidekv.cli.CliException;
import io.tidekv.compute.restore.RestoreWorkshop;
import io.tidekv.objects.backup.BackupSet;
import io.tidekv.objects.backup.Backups;
import io.tidekv.objects.backup.Branches;
import io.tidekv.objects.backup.CutSource;
import io.tidekv.objects.restore.Goal;
import io.tidekv.objects.restore.Restoration;
import io.tidekv.objects.store.ObjectStore;
import io.tidekv.objects.store.StoreContext;

/** Prepares a cluster beside another one, which holds for it what it begins with. */
final class NewCluster {
    private final ObjectStore store;
    private final long parentId;
    private final StoreContext context;

    /**
     * @param store all clusters' view; stays the caller's
     */
    NewCluster(ObjectStore store, long parentId, StoreContext context) {
        this.store = store;
        this.parentId = parentId;
        this.context = context;
    }

    /**
     * @param name under which the parent holds
     */
    Restoration make(String name, CutSource source, Goal goal) {
        BackupSet held = new Branches(store, parentId, context).hold(name, source);
        ObjectStore heir = ObjectsOption.cluster(store, held.branchId());
        try (RestoreWorkshop workshop = new RestoreWorkshop(heir, held.branchId())) {
            return Restoration.branch(
                    ObjectsOption.cluster(store, parentId),
                    held,
                    heir,
                    held.branchId(),
                    workshop,
                    goal,
                    context.randomness());
        }
    }

    /** The states of a backup, which holds them until somebody else does. */
    CutSource of(String backup) {
        BackupSet set = find(backup);
        if (set.ts() == 0) {
            throw new CliException(backup + " is of no one moment: make a new backup");
        }
        return begins -> {
            begins.run();
            return new CutSource.Cut(set.ts(), set.records());
        };
    }

    /** A backup of the other one, which must be there. */
    BackupSet find(String backup) {
        ObjectStore parent = ObjectsOption.cluster(store, parentId);
        BackupSet set = new Backups(parent, context.randomness()).find(backup);
        if (set == null || set.isBranch()) {
            throw new CliException("there is no backup " + backup);
        }
        return set;
    }
}
