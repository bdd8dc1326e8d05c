package io.tidekv.compute.grpc;

import com.google.protobuf.ByteString;
import io.tidekv.compute.region.RegionAccess.Region;
import io.tidekv.proto.kvrpcpb.Context;
import io.tidekv.proto.kvrpcpb.RawGetRequest;
import io.tidekv.proto.kvrpcpb.RawPutRequest;
import io.tidekv.proto.metapb.Peer;
import io.tidekv.proto.metapb.RegionEpoch;

/** Requests that fit a {@link KvServer}. */
final class Requests {
    private Requests() {}

    static Context.Builder context(KvServer server) {
        return context(server.regions.regions().get(0), server.regions.storeId());
    }

    static Context.Builder context(Region region) {
        return context(region, KvServer.STORE);
    }

    private static Context.Builder context(Region region, long store) {
        return Context.newBuilder()
                .setRegionId(region.shape().getRegionId())
                .setRegionEpoch(
                        RegionEpoch.newBuilder()
                                .setVersion(region.shape().getVersion())
                                .setConfVer(region.shape().getConfVer()))
                .setPeer(Peer.newBuilder().setId(region.shape().getPeerId()).setStoreId(store));
    }

    static RawGetRequest rawGet(KvServer server, String key) {
        return RawGetRequest.newBuilder()
                .setContext(context(server))
                .setKey(ByteString.copyFromUtf8(key))
                .build();
    }

    static RawPutRequest rawPut(KvServer server, String key, ByteString value) {
        return RawPutRequest.newBuilder()
                .setContext(context(server))
                .setKey(ByteString.copyFromUtf8(key))
                .setValue(value)
                .build();
    }
}
