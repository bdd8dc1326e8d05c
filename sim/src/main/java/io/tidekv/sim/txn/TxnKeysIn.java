package io.tidekv.sim.txn;

import com.google.protobuf.ByteString;
import io.tidekv.compute.engine.KeyBounds;
import io.tidekv.proto.region.RegionShape;

/** The few keys that everybody fights for. */
final class TxnKeysIn {
    static final int COUNT = 6;

    private TxnKeysIn() {}

    static ByteString key(int index) {
        return ByteString.copyFromUtf8("k" + index);
    }

    static boolean contains(RegionShape shape, byte[] stored) {
        return KeyBounds.of(shape).contains(stored);
    }
}
