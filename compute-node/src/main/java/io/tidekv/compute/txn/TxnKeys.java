package io.tidekv.compute.txn;

import com.google.protobuf.ByteString;
import io.tidekv.compute.engine.KeyBounds;
import io.tidekv.compute.mvcc.TxnException;
import io.tidekv.compute.mvcc.TxnKey;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/** Keys of requests. */
public final class TxnKeys {
    private TxnKeys() {}

    public static List<TxnKey> of(List<ByteString> raw) {
        List<TxnKey> keys = new ArrayList<>(raw.size());
        raw.forEach(key -> keys.add(TxnKey.of(key)));
        return keys;
    }

    /** Each key once, in order: a command must see a key only once. */
    static Set<TxnKey> distinct(List<ByteString> raw, KeyBounds bounds) {
        Set<TxnKey> keys = new LinkedHashSet<>();
        for (ByteString key : raw) {
            keys.add(checked(key, bounds));
        }
        return keys;
    }

    /** A key inside the region; TiKV answers others with an abort text, not a region error. */
    static TxnKey checked(ByteString raw, KeyBounds bounds) {
        TxnKey key = TxnKey.of(raw);
        if (!bounds.contains(key.encoded())) {
            throw TxnException.abort(
                    "the key is not in the region of this request: route it again");
        }
        return key;
    }
}
