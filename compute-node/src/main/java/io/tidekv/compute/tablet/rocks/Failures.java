package io.tidekv.compute.tablet.rocks;

import io.tidekv.common.error.KvError;
import io.tidekv.common.error.KvException;
import org.jspecify.annotations.Nullable;
import org.rocksdb.RocksDBException;
import org.rocksdb.Status;

/** RocksDB's and the disk's failures as typed errors. */
final class Failures {
    private static final long BACKOFF_MS = 50;

    private Failures() {}

    static KvException unavailable(long regionId, String object, String message) {
        return new KvException(
                new KvError.RegionUnavailable(
                        regionId, object, "region " + regionId + ": " + message));
    }

    static KvException unavailable(long regionId, String what, RocksDBException e) {
        return unavailable(regionId, "", what + ": " + describe(e));
    }

    /** Repeat later: the tablet is being flushed or replaced. */
    static KvException busy(String reason) {
        return new KvException(new KvError.ServerIsBusy(reason, BACKOFF_MS));
    }

    static Status.@Nullable Code code(RocksDBException e) {
        Status status = e.getStatus();
        return status == null ? null : status.getCode();
    }

    static String describe(RocksDBException e) {
        return code(e) + " " + e.getMessage();
    }
}
