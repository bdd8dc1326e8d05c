package io.tidekv.it;

import com.google.protobuf.ByteString;
import io.tidekv.common.codec.Memcomparable;
import org.tikv.common.TiConfiguration;

/** API V2, in the keyspace that clients take when told none. */
class RawClientV2Test extends RawClientCases {
    RawClientV2Test() {
        super("2", TiConfiguration.ApiVersion.V2);
    }

    @Override
    ByteString stored(String key) {
        byte[] sent = ByteString.copyFromUtf8("r\0\0\0" + key).toByteArray();
        return ByteString.copyFrom(Memcomparable.encode(sent));
    }
}
