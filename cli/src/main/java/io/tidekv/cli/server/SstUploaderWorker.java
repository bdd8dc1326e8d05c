package io.tidekv.cli.server;

import io.tidekv.common.config.Settings;
import io.tidekv.common.http.StatusServer;
import io.tidekv.common.metrics.Metrics;
import io.tidekv.objects.store.ObjectStore;
import io.tidekv.objects.store.ObjectStoreException;
import io.tidekv.objects.store.ObjectStores;
import java.io.IOException;
import java.util.Map;

/**
 * The worker process. Compute nodes upload and fetch by themselves, and no object is deleted in
 * this version, so that all it does is to say over HTTP whether the store can be reached.
 */
final class SstUploaderWorker implements RunningRole {
    private final ObjectStore store;
    private final StatusServer status;

    private SstUploaderWorker(ObjectStore store, StatusServer status) {
        this.store = store;
        this.status = status;
    }

    static SstUploaderWorker start(SstUploaderConfig config) throws IOException {
        ObjectStore store = ObjectStores.open(config.objectStore());
        try {
            ObjectStores.probe(store);
            StatusServer status =
                    StatusServer.builder()
                            .metrics(new Metrics())
                            .config(() -> Settings.render(config))
                            .status(() -> Map.of("role", "sst-uploader"))
                            .health(() -> problem(store))
                            .start(config.statusAddr());
            return new SstUploaderWorker(store, status);
        } catch (IOException | RuntimeException e) {
            store.close();
            throw e;
        }
    }

    private static String problem(ObjectStore store) {
        try {
            ObjectStores.probe(store);
            return "";
        } catch (ObjectStoreException e) {
            return String.valueOf(e.getMessage());
        }
    }

    @Override
    public long id() {
        return 0;
    }

    @Override
    public String address() {
        return status.address().toString();
    }

    @Override
    public String statusAddress() {
        return address();
    }

    @Override
    public void close() {
        status.close();
        store.close();
    }
}
