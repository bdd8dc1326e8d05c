package io.tidekv.compute.server;

import io.tidekv.compute.region.StoreOptions;
import io.tidekv.compute.region.core.LeaderOptions;
import io.tidekv.compute.tablet.GranuleSettings;
import io.tidekv.compute.tablet.TabletSettings;
import java.nio.file.Files;
import java.nio.file.Path;

/** The settings of the parts, from those of the process. */
final class Options {
    private Options() {}

    static StoreOptions store(ComputeConfig config) {
        StoreOptions base = StoreOptions.defaults();
        LeaderOptions leader = base.leader();
        LeaderOptions leases =
                new LeaderOptions(
                        config.wal().lease().toMillis(),
                        config.wal().leaseDrift().toMillis(),
                        config.wal().renewInterval().toMillis(),
                        leader.retryMs(),
                        leader.failedRetryMs(),
                        leader.windowBytes(),
                        leader.appendBytes(),
                        leader.inFlightBytes(),
                        leader.readBytes());
        ComputeConfig.Region region = config.region();
        return new StoreOptions(
                region.loops(),
                base.openers(),
                base.publishers(),
                leases,
                base.regionProposalBytes(),
                region.proposalLimit().bytes(),
                region.entryMaxSize().bytes(),
                base.joinBytes(),
                region.unpublishedLimit().bytes(),
                region.publishSize().bytes(),
                region.publishInterval(),
                config.coprocessor().regionSplitSize().bytes(),
                config.coprocessor().regionSplitWrites(),
                base.splitPauseMax(),
                region.proposalTimeout(),
                base.readTimeout(),
                region.shutdownTimeout(),
                region.tabletsKept(),
                region.tabletIdle());
    }

    static TabletSettings tablets(ComputeConfig config, DataFolder folder, long clusterId) {
        TabletSettings base =
                TabletSettings.of(clusterId, config.storage().apiMode(), folder.tablets());
        return new TabletSettings(
                clusterId,
                config.storage().apiMode(),
                folder.tablets(),
                scratch(config, folder),
                config.tablet().blockCache().bytes(),
                config.tablet().memtables().bytes(),
                base.memtableBytes(),
                base.tableBytes(),
                base.maxOpenFiles(),
                base.compactAtFiles(),
                config.tablet().backgroundRate().bytes(),
                config.cache().warmRate().bytes(),
                base.flushDeadline(),
                config.cache().warmRate().bytes() > 0,
                GranuleSettings.from(config.cache().granulesFrom().bytes()));
    }

    private static Path scratch(ComputeConfig config, DataFolder folder) {
        if (!config.tablet().scratchDir().isEmpty()) {
            return Path.of(config.tablet().scratchDir());
        }
        Path memory = Path.of("/dev/shm");
        return Files.isWritable(memory) ? memory : folder.root().resolve("scratch");
    }
}
