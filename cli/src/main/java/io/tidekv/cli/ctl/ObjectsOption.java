package io.tidekv.cli.ctl;

import io.tidekv.cli.CliException;
import io.tidekv.objects.manifest.ObjectKeys;
import io.tidekv.objects.store.ObjectStore;
import io.tidekv.objects.store.ObjectStores;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** The flag that names the object store of the cluster. */
final class ObjectsOption {
    @Option(
            names = "--object-store",
            paramLabel = "URI",
            defaultValue = "${env:TIDEKV_OBJECT_STORE}",
            description =
                    "file:DIR or s3://bucket/prefix?endpoint=…, as the cluster's processes were"
                            + " given it; by default the variable TIDEKV_OBJECT_STORE.")
    private @Nullable String uri;

    ObjectStore open() {
        if (uri == null || uri.isEmpty()) {
            throw new CliException(
                    "which object store? Give --object-store URI or set TIDEKV_OBJECT_STORE");
        }
        return ObjectStores.open(uri);
    }

    /** The part of the cluster; {@code store} must stay open. */
    static ObjectStore cluster(ObjectStore store, long clusterId) {
        return store.under(ObjectKeys.cluster(clusterId));
    }
}
