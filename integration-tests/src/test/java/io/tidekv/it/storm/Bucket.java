package io.tidekv.it.storm;

import io.tidekv.it.Minio;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;

/** Where a storm's cluster has its objects: a folder, or a MinIO behind a proxy with faults. */
final class Bucket implements AutoCloseable {
    private final String uri;
    private final Minio minio;
    private final S3Faults proxy;

    private Bucket(String uri, Minio minio, S3Faults proxy) {
        this.uri = uri;
        this.minio = minio;
        this.proxy = proxy;
    }

    /**
     * @param home address for roles to reach the proxy at
     * @param faults share of the requests that fail; 0: a folder will do
     */
    static Bucket open(Path folder, String home, double faults, long seed) throws IOException {
        Path binary = Minio.binary();
        if (faults == 0 || binary == null) {
            return new Bucket("file:" + folder.resolve("objects"), null, null);
        }
        Minio minio = Minio.start(binary, Files.createDirectories(folder.resolve("minio")));
        S3Faults proxy = new S3Faults(home, minio.port(), faults, new Random(seed));
        return new Bucket(minio.uri(proxy.endpoint()), minio, proxy);
    }

    /** For {@code --object-store}. */
    String uri() {
        return uri;
    }

    /** No faults any more. */
    void heal() {
        if (proxy != null) {
            System.out.println("the object store failed " + proxy.heal() + " requests");
        }
    }

    @Override
    public void close() {
        if (proxy != null) {
            proxy.close();
        }
        if (minio != null) {
            minio.close();
        }
    }
}
