package io.tidekv.wal.grpc;

import com.google.protobuf.CodedInputStream;
import com.google.protobuf.ExtensionRegistryLite;
import io.grpc.BindableService;
import io.grpc.ServerServiceDefinition;
import io.tidekv.common.grpc.AliasedRequests;
import io.tidekv.proto.region.Entry;
import io.tidekv.proto.region.Owner;
import io.tidekv.proto.region.Snapshot;
import io.tidekv.proto.wal.AppendRequest;
import io.tidekv.proto.wal.CreateRequest;
import io.tidekv.proto.wal.Hello;
import io.tidekv.proto.wal.OpenRequest;
import io.tidekv.proto.wal.ReadRequest;
import io.tidekv.proto.wal.ReleaseRequest;
import io.tidekv.proto.wal.RenewRequest;
import io.tidekv.proto.wal.RetireRequest;
import io.tidekv.proto.wal.WalGrpc;
import io.tidekv.proto.wal.WalRequest;
import io.tidekv.proto.wal.WalRequests;
import java.io.IOException;
import java.util.Map;

/**
 * Decodes one message of a session as the generated parser does, with builders that all its
 * requests and entries share: those that the generated one makes for each are most of what a small
 * append costs. Fields that are not known here are dropped.
 */
final class SessionDecoder {
    private static final ExtensionRegistryLite NONE = ExtensionRegistryLite.getEmptyRegistry();

    private final CodedInputStream in;
    private final WalRequest.Builder request = WalRequest.newBuilder();
    private final AppendRequest.Builder append = AppendRequest.newBuilder();
    private final Entry.Builder entry = Entry.newBuilder();
    private Owner owner = Owner.getDefaultInstance();

    private SessionDecoder(CodedInputStream in) {
        this.in = in;
    }

    /** The endpoint's service, decoding its requests without copying what they carry. */
    static ServerServiceDefinition decoding(BindableService endpoint) {
        return AliasedRequests.of(
                endpoint.bindService(),
                Map.of(WalGrpc.getSessionMethod().getFullMethodName(), SessionDecoder::decode));
    }

    /** The message that is the rest of {@code in}. */
    static WalRequests decode(CodedInputStream in) throws IOException {
        return new SessionDecoder(in).message();
    }

    private WalRequests message() throws IOException {
        WalRequests.Builder message = WalRequests.newBuilder();
        boolean more = true;
        while (more) {
            int tag = in.readTag();
            switch (tag) {
                case 0 -> more = false;
                case 10 -> message.setHello(in.readMessage(Hello.parser(), NONE));
                case 18 -> message.addRequests(request());
                default -> more = in.skipField(tag);
            }
        }
        return message.build();
    }

    /** Begins a message within the message; what is returned is to be given to {@link #leave}. */
    private int enter() throws IOException {
        return in.pushLimit(in.readRawVarint32());
    }

    private void leave(int limit) throws IOException {
        in.checkLastTagWas(0);
        in.popLimit(limit);
    }

    private WalRequest request() throws IOException {
        int limit = enter();
        request.clear();
        boolean more = true;
        while (more) {
            int tag = in.readTag();
            switch (tag) {
                case 0 -> more = false;
                case 8 -> request.setSeq(in.readUInt64());
                case 16 -> request.setRegionId(in.readUInt64());
                case 26 -> request.setCreate(in.readMessage(CreateRequest.parser(), NONE));
                case 34 -> request.setOpen(in.readMessage(OpenRequest.parser(), NONE));
                case 42 -> request.setAppend(append());
                case 50 -> request.setRead(in.readMessage(ReadRequest.parser(), NONE));
                case 58 -> request.setRenew(in.readMessage(RenewRequest.parser(), NONE));
                case 66 -> request.setRelease(in.readMessage(ReleaseRequest.parser(), NONE));
                case 74 -> request.setRetire(in.readMessage(RetireRequest.parser(), NONE));
                default -> more = in.skipField(tag);
            }
        }
        leave(limit);
        return request.build();
    }

    private AppendRequest append() throws IOException {
        int limit = enter();
        append.clear();
        boolean more = true;
        while (more) {
            int tag = in.readTag();
            switch (tag) {
                case 0 -> more = false;
                case 8 -> append.setTerm(in.readUInt64());
                case 18 -> append.setOwner(owner());
                case 24 -> append.setPrevIndex(in.readUInt64());
                case 32 -> append.setPrevTerm(in.readUInt64());
                case 42 -> append.addEntries(entry());
                case 48 -> append.setCommitIndex(in.readUInt64());
                case 58 -> append.setSnapshot(in.readMessage(Snapshot.parser(), NONE));
                case 64 -> append.setResetToSnapshot(in.readBool());
                case 72 -> append.setLeaseMs(in.readUInt64());
                case 80 -> append.setPromote(in.readBool());
                default -> more = in.skipField(tag);
            }
        }
        leave(limit);
        return append.build();
    }

    /** Mostly the one of the request before. */
    private Owner owner() throws IOException {
        int limit = enter();
        long storeId = 0;
        long incarnation = 0;
        boolean more = true;
        while (more) {
            int tag = in.readTag();
            switch (tag) {
                case 0 -> more = false;
                case 8 -> storeId = in.readUInt64();
                case 16 -> incarnation = in.readUInt64();
                default -> more = in.skipField(tag);
            }
        }
        leave(limit);
        if (owner.getStoreId() != storeId || owner.getIncarnation() != incarnation) {
            owner = Owner.newBuilder().setStoreId(storeId).setIncarnation(incarnation).build();
        }
        return owner;
    }

    private Entry entry() throws IOException {
        int limit = enter();
        entry.clear();
        boolean more = true;
        while (more) {
            int tag = in.readTag();
            switch (tag) {
                case 0 -> more = false;
                case 8 -> entry.setIndex(in.readUInt64());
                case 16 -> entry.setTerm(in.readUInt64());
                case 24 -> entry.setKindValue(in.readEnum());
                case 34 -> entry.setData(in.readBytes());
                case 40 -> entry.setParts(in.readUInt64());
                default -> more = in.skipField(tag);
            }
        }
        leave(limit);
        return entry.build();
    }
}
