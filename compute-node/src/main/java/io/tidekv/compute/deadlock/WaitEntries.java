package io.tidekv.compute.deadlock;

import com.google.common.hash.Hashing;
import com.google.protobuf.ByteString;
import io.tidekv.compute.deadlock.DeadlockGraph.Wait;
import io.tidekv.proto.deadlock.WaitForEntry;

/** Waits as stores and clients are told of them. */
public final class WaitEntries {
    private WaitEntries() {}

    public static WaitForEntry entry(Wait wait) {
        return WaitForEntry.newBuilder()
                .setTxn(wait.waiter())
                .setWaitForTxn(wait.holder())
                .setKeyHash(hash(wait.key()))
                .setKey(wait.key())
                .setResourceGroupTag(wait.tag())
                .build();
    }

    static Wait of(WaitForEntry entry) {
        return new Wait(
                entry.getTxn(), entry.getWaitForTxn(), entry.getKey(), entry.getResourceGroupTag());
    }

    /** TiKV's hash of a key. */
    public static long hash(ByteString key) {
        return Hashing.farmHashFingerprint64().hashBytes(key.toByteArray()).asLong();
    }
}
