package io.tidekv.it;

import com.google.protobuf.ByteString;
import org.tikv.common.TiConfiguration;

/** Mode V1TTL. */
class RawClientTest extends RawClientCases {
    RawClientTest() {
        super("1ttl", TiConfiguration.ApiVersion.V1);
    }

    @Override
    ByteString stored(String key) {
        return ByteString.copyFromUtf8(key);
    }
}
