package io.tidekv.compute.txn;

import io.tidekv.compute.mvcc.LastChange;
import io.tidekv.compute.mvcc.MvccReader;
import io.tidekv.compute.mvcc.TxnKey;
import io.tidekv.compute.mvcc.Version;
import org.jspecify.annotations.Nullable;

/** Finds what a record that changes nothing notes about the last change below it. */
final class LastChanges {
    private LastChanges() {}

    /** The last change at or below {@code newest}, the newest version of the key. */
    static LastChange below(MvccReader reader, TxnKey key, @Nullable Version newest) {
        if (newest == null) {
            return LastChange.NONE;
        }
        if (newest.write().kind().changesData()) {
            return new LastChange(newest.commitTs(), 1);
        }
        LastChange noted = newest.write().lastChange();
        if (noted.isKnown()) {
            return noted.exists() ? new LastChange(noted.ts(), noted.versions() + 1) : noted;
        }
        // Rollbacks note nothing: look below them.
        Version change = reader.newestChange(key, newest.commitTs());
        return change == null ? LastChange.NONE : new LastChange(change.commitTs(), 2);
    }
}
