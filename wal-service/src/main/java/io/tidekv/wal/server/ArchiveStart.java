package io.tidekv.wal.server;

import io.tidekv.common.config.ConfigException;
import io.tidekv.common.metrics.Metrics;
import io.tidekv.common.time.SystemClock;
import io.tidekv.objects.store.ObjectStore;
import io.tidekv.objects.store.ObjectStoreException;
import io.tidekv.objects.store.ObjectStores;
import io.tidekv.wal.archive.ArchiveOptions;
import io.tidekv.wal.archive.Archiver;
import io.tidekv.wal.storage.DiskWalFiles;
import io.tidekv.wal.storage.NodeIdentity;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** Makes the archive of a node as its settings say. */
final class ArchiveStart {
    private ArchiveStart() {}

    /**
     * Null when there is to be none. A store that cannot be reached is no error here: the archive
     * says so, and the log goes on.
     *
     * @throws ConfigException when the settings name no store
     */
    static @Nullable Archiver open(
            WalConfig config, Supplier<NodeIdentity> identity, Metrics metrics) {
        WalConfig.Archive settings = config.archive();
        if (!settings.enabled()) {
            return null;
        }
        ObjectStore store;
        try {
            store = ObjectStores.open(settings.store());
        } catch (ObjectStoreException e) {
            throw new ConfigException("archive.store: " + e.getMessage(), e);
        }
        return new Archiver(
                new DiskWalFiles(config.dataDir()),
                identity,
                store,
                new ArchiveOptions(
                        settings.interval(), settings.retention(), ArchiveOptions.PART_BYTES),
                SystemClock.INSTANCE,
                metrics);
    }
}
