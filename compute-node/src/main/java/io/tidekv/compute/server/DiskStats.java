package io.tidekv.compute.server;

import io.tidekv.proto.cluster.StoreStats;
import java.io.IOException;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.Supplier;

/** Room on the disk of a folder, as PD is told. */
final class DiskStats implements Supplier<StoreStats> {
    private final Path folder;

    DiskStats(Path folder) {
        this.folder = folder;
    }

    @Override
    public StoreStats get() {
        try {
            FileStore disk = Files.getFileStore(folder);
            long capacity = disk.getTotalSpace();
            long available = disk.getUsableSpace();
            return StoreStats.newBuilder()
                    .setCapacityBytes(capacity)
                    .setAvailableBytes(available)
                    .setUsedBytes(capacity - available)
                    .build();
        } catch (IOException e) {
            // The folder may be gone: it is only a cache. PD then hears of no room.
            return StoreStats.getDefaultInstance();
        }
    }
}
