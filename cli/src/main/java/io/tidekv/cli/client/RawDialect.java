package io.tidekv.cli.client;

import com.google.protobuf.ByteString;
import io.tidekv.common.codec.Memcomparable;
import io.tidekv.proto.kvrpcpb.APIVersion;
import io.tidekv.proto.kvrpcpb.Context;

/** How raw keys are spoken of in a cluster's API mode. */
enum RawDialect {
    /** V1 and V1TTL: as they are. */
    PLAIN(ByteString.EMPTY, ByteString.EMPTY),
    /** V2: in the keyspace {@code DEFAULT}, whose id is 0. */
    KEYSPACE(
            ByteString.copyFrom(new byte[] {'r', 0, 0, 0}),
            ByteString.copyFrom(new byte[] {'r', 0, 0, 1}));

    private final ByteString prefix;
    private final ByteString end;

    RawDialect(ByteString prefix, ByteString end) {
        this.prefix = prefix;
        this.end = end;
    }

    /** The dialect of a mode as PD numbers it. */
    static RawDialect of(int apiMode) {
        return apiMode == 3 ? KEYSPACE : PLAIN;
    }

    /** A user's key as requests carry it. */
    ByteString sent(ByteString key) {
        return prefix.concat(key);
    }

    /** An exclusive end; empty for no bound. */
    ByteString sentEnd(ByteString key) {
        return key.isEmpty() ? end : sent(key);
    }

    /** The user's key of one in an answer. */
    ByteString user(ByteString sent) {
        return sent.substring(prefix.size());
    }

    /** The stored form of a key of a request, by which regions are found. */
    ByteString stored(ByteString sent) {
        return this == PLAIN ? sent : ByteString.copyFrom(Memcomparable.encode(sent.toByteArray()));
    }

    /** A region's bound as requests carry keys. */
    ByteString bound(ByteString stored) {
        return this == PLAIN || stored.isEmpty()
                ? stored
                : ByteString.copyFrom(Memcomparable.decode(stored.toByteArray()));
    }

    Context context(Route route) {
        Context context = route.context();
        return this == PLAIN ? context : context.toBuilder().setApiVersion(APIVersion.V2).build();
    }
}
