package io.tidekv.pd.grpc;

import com.google.protobuf.ByteString;
import io.tidekv.pd.routing.Located;
import io.tidekv.pd.routing.Routing;
import io.tidekv.proto.pdpb.BatchScanRegionsRequest;
import io.tidekv.proto.pdpb.BatchScanRegionsResponse;
import io.tidekv.proto.pdpb.ErrorType;
import io.tidekv.proto.pdpb.GetRegionByIDRequest;
import io.tidekv.proto.pdpb.GetRegionRequest;
import io.tidekv.proto.pdpb.GetRegionResponse;
import io.tidekv.proto.pdpb.QueryRegionRequest;
import io.tidekv.proto.pdpb.QueryRegionResponse;
import io.tidekv.proto.pdpb.Region;
import io.tidekv.proto.pdpb.RegionResponse;
import io.tidekv.proto.pdpb.ScanRegionsRequest;
import io.tidekv.proto.pdpb.ScanRegionsResponse;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Lookups of regions. The leader is left out while the region is not served. */
final class RegionCalls {
    private final Routing routing;
    private final Guard guard;

    RegionCalls(Routing routing, Guard guard) {
        this.routing = routing;
        this.guard = guard;
    }

    GetRegionResponse byKey(GetRegionRequest request) {
        return response(routing.byKey(request.getRegionKey()));
    }

    GetRegionResponse before(GetRegionRequest request) {
        return response(routing.before(request.getRegionKey()));
    }

    GetRegionResponse byId(GetRegionByIDRequest request) {
        return response(routing.byId(request.getRegionId()));
    }

    ScanRegionsResponse scan(ScanRegionsRequest request) {
        ScanRegionsResponse.Builder response = ScanRegionsResponse.newBuilder();
        if (!routing.bootstrapped()) {
            return response.setHeader(guard.notBootstrapped()).build();
        }
        List<Located> found =
                routing.scan(request.getStartKey(), request.getEndKey(), request.getLimit());
        for (Located region : found) {
            response.addRegionMetas(region.region())
                    .addLeaders(region.leader())
                    .addRegions(region(region));
        }
        return response.setHeader(guard.header()).build();
    }

    BatchScanRegionsResponse scan(BatchScanRegionsRequest request) {
        BatchScanRegionsResponse.Builder response = BatchScanRegionsResponse.newBuilder();
        if (!routing.bootstrapped()) {
            return response.setHeader(guard.notBootstrapped()).build();
        }
        try {
            routing.scan(request.getRangesList(), request.getLimit())
                    .forEach(region -> response.addRegions(region(region)));
        } catch (IllegalArgumentException e) {
            String message = String.valueOf(e.getMessage());
            return response.setHeader(guard.error(ErrorType.UNKNOWN, message)).build();
        }
        return response.setHeader(guard.header()).build();
    }

    /** Ids are given in the order of the request, 0 where there is no region. */
    QueryRegionResponse query(QueryRegionRequest request) {
        QueryRegionResponse.Builder response = QueryRegionResponse.newBuilder();
        if (!routing.bootstrapped()) {
            return response.setHeader(guard.notBootstrapped()).build();
        }
        response.setHeader(guard.header());
        for (ByteString key : request.getKeysList()) {
            response.addKeyIdMap(put(routing.byKey(key), response));
        }
        for (ByteString key : request.getPrevKeysList()) {
            response.addPrevKeyIdMap(put(routing.before(key), response));
        }
        for (long id : request.getIdsList()) {
            if (put(routing.byId(id), response) == 0) {
                response.putRegionsById(id, RegionResponse.getDefaultInstance());
            }
        }
        return response.build();
    }

    private static long put(@Nullable Located region, QueryRegionResponse.Builder response) {
        if (region == null) {
            return 0;
        }
        RegionResponse.Builder one =
                RegionResponse.newBuilder().setRegion(region.region()).setLeader(region.leader());
        response.putRegionsById(region.id(), one.build());
        return region.id();
    }

    private GetRegionResponse response(@Nullable Located region) {
        GetRegionResponse.Builder response = GetRegionResponse.newBuilder();
        if (!routing.bootstrapped()) {
            return response.setHeader(guard.notBootstrapped()).build();
        }
        response.setHeader(guard.header());
        if (region != null) {
            response.setRegion(region.region()).setLeader(region.leader());
        }
        return response.build();
    }

    private static Region region(Located region) {
        return Region.newBuilder().setRegion(region.region()).setLeader(region.leader()).build();
    }
}
