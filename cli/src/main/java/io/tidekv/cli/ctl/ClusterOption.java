package io.tidekv.cli.ctl;

import io.tidekv.cli.CliException;
import io.tidekv.objects.restore.Restoration;
import io.tidekv.objects.store.ObjectStore;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Which cluster of an object store is meant. */
final class ClusterOption {
    @Option(
            names = "--cluster",
            paramLabel = "ID",
            description = "Needed when the store has several.")
    private @Nullable String cluster;

    /** The cluster's part of the store, which must stay open. */
    ObjectStore of(ObjectStore store) {
        return ObjectsOption.cluster(store, id(store));
    }

    boolean isNamed() {
        return cluster != null;
    }

    /** The cluster that was named, or the only one in the store. */
    long id(ObjectStore store) {
        Long id =
                cluster == null
                        ? Restoration.onlyCluster(store)
                        : Long.valueOf(Long.parseUnsignedLong(cluster));
        if (id == null) {
            throw new CliException(
                    "the store has no cluster or several: name one with --cluster ID");
        }
        return id;
    }
}
