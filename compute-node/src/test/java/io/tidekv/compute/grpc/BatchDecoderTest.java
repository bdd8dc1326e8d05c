package io.tidekv.compute.grpc;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import com.google.protobuf.UnknownFieldSet;
import io.tidekv.proto.kvrpcpb.CommitRequest;
import io.tidekv.proto.kvrpcpb.Context;
import io.tidekv.proto.kvrpcpb.GetRequest;
import io.tidekv.proto.kvrpcpb.Mutation;
import io.tidekv.proto.kvrpcpb.PrewriteRequest;
import io.tidekv.proto.kvrpcpb.RawDeleteRequest;
import io.tidekv.proto.kvrpcpb.RawGetRequest;
import io.tidekv.proto.kvrpcpb.RawPutRequest;
import io.tidekv.proto.kvrpcpb.RawScanRequest;
import io.tidekv.proto.metapb.Peer;
import io.tidekv.proto.metapb.RegionEpoch;
import io.tidekv.proto.tikvpb.BatchCommandsEmptyRequest;
import io.tidekv.proto.tikvpb.BatchCommandsRequest;
import io.tidekv.proto.tikvpb.BatchCommandsRequest.Request;
import java.io.IOException;
import java.util.Arrays;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** What is decoded is what the generated parser makes of the same bytes, whatever they are. */
class BatchDecoderTest {
    private static final int MESSAGES = 300;
    private static final int DAMAGED = 8_000;
    private static final long SEED = Long.getLong("decoder.seed", 20261123);

    private final Random random = new Random(SEED);

    @Test
    void decodesAsTheGeneratedParserDoes() throws IOException {
        for (int i = 0; i < MESSAGES; i++) {
            BatchCommandsRequest message = message(1 + random.nextInt(40));
            byte[] bytes = message.toByteArray();
            assertThat(BatchDecoder.decode(bytes, bytes.length)).isEqualTo(message);
        }
    }

    @Test
    void requestsOfOneRegionShareTheirContext() throws IOException {
        Context context = context(1);
        BatchCommandsRequest.Builder message = BatchCommandsRequest.newBuilder();
        for (int i = 0; i < 3; i++) {
            message.addRequestIds(i)
                    .addRequests(
                            Request.newBuilder()
                                    .setRawGet(RawGetRequest.newBuilder().setContext(context)));
        }
        byte[] bytes = message.build().toByteArray();
        BatchCommandsRequest read = BatchDecoder.decode(bytes, bytes.length);
        assertThat(read.getRequests(2).getRawGet().getContext())
                .isSameAs(read.getRequests(0).getRawGet().getContext())
                .isEqualTo(context);
    }

    @Test
    void nothingRefersToTheBytes() throws IOException {
        BatchCommandsRequest message = message(20);
        byte[] bytes = message.toByteArray();
        BatchCommandsRequest read = BatchDecoder.decode(bytes, bytes.length);
        Arrays.fill(bytes, (byte) 0);
        assertThat(read).isEqualTo(message);
    }

    @Test
    void damagedBytesAreReadOrRefusedAlike() {
        int refused = 0;
        for (int i = 0; i < DAMAGED; i++) {
            byte[] bytes = damaged(message(1 + random.nextInt(4)).toByteArray());
            BatchCommandsRequest expected = generated(bytes);
            assertThat(decoded(bytes))
                    .as("seed %s, message %s: %s", SEED, i, ByteString.copyFrom(bytes))
                    .isEqualTo(expected);
            refused += expected == null ? 1 : 0;
        }
        assertThat(refused).isBetween(DAMAGED / 10, DAMAGED * 9 / 10);
    }

    /** A field twice, a tag longer than it need be, a kind after another in one request. */
    @Test
    void unusualBytesAreReadAlike() {
        Context first = Context.newBuilder().setRegionId(1).setRequestSource("a").build();
        Context second = Context.newBuilder().setRegionId(2).build();
        ByteString get = RawGetRequest.newBuilder().setContext(first).build().toByteString();
        ByteString more = RawGetRequest.newBuilder().setContext(second).build().toByteString();
        ByteString tag = ByteString.copyFrom(new byte[] {13 << 3 | 2});
        ByteString longTag = ByteString.copyFrom(new byte[] {(byte) (13 << 3 | 0x82), 0});
        ByteString farTag =
                ByteString.copyFrom(new byte[] {(byte) (13 << 3 | 0x82), (byte) 128, 1});
        ByteString commit =
                Request.newBuilder()
                        .setCommit(CommitRequest.newBuilder().setContext(second))
                        .build()
                        .toByteString();
        ByteString twice = field(tag, get.concat(more));
        for (ByteString request :
                new ByteString[] {
                    ByteString.EMPTY,
                    twice,
                    twice.concat(field(tag, more)),
                    field(longTag, get),
                    field(farTag, get),
                    field(tag, get).concat(commit),
                    commit.concat(field(tag, get)),
                    field(tag, ByteString.EMPTY)
                }) {
            byte[] bytes = field(ByteString.copyFrom(new byte[] {10}), request).toByteArray();
            assertThat(decoded(bytes)).isNotNull().isEqualTo(generated(bytes));
        }
    }

    /** A field shorter than 128 bytes. */
    private static ByteString field(ByteString tag, ByteString content) {
        return tag.concat(ByteString.copyFrom(new byte[] {(byte) content.size()})).concat(content);
    }

    private static @Nullable BatchCommandsRequest decoded(byte[] bytes) {
        try {
            return BatchDecoder.decode(bytes, bytes.length);
        } catch (IOException e) {
            return null;
        }
    }

    private static @Nullable BatchCommandsRequest generated(byte[] bytes) {
        try {
            return BatchCommandsRequest.parseFrom(bytes);
        } catch (IOException e) {
            return null;
        }
    }

    private byte[] damaged(byte[] bytes) {
        byte[] out = bytes.clone();
        int at = random.nextInt(out.length);
        switch (random.nextInt(3)) {
            case 0 -> out[at] = (byte) random.nextInt(256);
            case 1 -> out[at] ^= (byte) (1 << random.nextInt(8));
            default -> out = Arrays.copyOf(out, at);
        }
        return out;
    }

    private BatchCommandsRequest message(int requests) {
        BatchCommandsRequest.Builder message = BatchCommandsRequest.newBuilder();
        if (random.nextInt(3) == 0) {
            message.setClientSendTimeNs(random.nextLong());
        }
        if (random.nextInt(10) == 0) {
            message.setUnknownFields(
                    UnknownFieldSet.newBuilder()
                            .addField(9, UnknownFieldSet.Field.newBuilder().addVarint(1).build())
                            .build());
        }
        for (int i = 0; i < requests; i++) {
            message.addRequestIds(random.nextInt(1000)).addRequests(request());
        }
        return message.build();
    }

    private Request request() {
        Request.Builder request = Request.newBuilder();
        Context context = context(random.nextInt(5));
        ByteString key = ByteString.copyFromUtf8("key-" + random.nextInt(100));
        switch (random.nextInt(8)) {
            case 0 -> request.setRawGet(RawGetRequest.newBuilder().setContext(context).setKey(key));
            case 1 ->
                    request.setRawPut(
                            RawPutRequest.newBuilder()
                                    .setContext(context)
                                    .setKey(key)
                                    .setTtl(random.nextInt(3)));
            case 2 -> request.setRawDelete(RawDeleteRequest.newBuilder().setKey(key));
            case 3 -> request.setGet(GetRequest.newBuilder().setContext(context).setVersion(-1));
            case 4 ->
                    request.setPrewrite(
                            PrewriteRequest.newBuilder()
                                    .setContext(context)
                                    .addMutations(Mutation.newBuilder().setKey(key)));
            case 5 -> request.setCommit(CommitRequest.newBuilder().addKeys(key));
            case 6 -> request.setRawScan(RawScanRequest.newBuilder().setContext(context));
            default -> request.setEmpty(BatchCommandsEmptyRequest.newBuilder().setTestId(7));
        }
        return request.build();
    }

    private static Context context(int region) {
        return region == 0
                ? Context.getDefaultInstance()
                : Context.newBuilder()
                        .setRegionId(region)
                        .setRegionEpoch(RegionEpoch.newBuilder().setVersion(1).setConfVer(1))
                        .setPeer(Peer.newBuilder().setId(3).setStoreId(1))
                        .setRequestSource(region == 4 ? "x".repeat(600) : "")
                        .build();
    }
}
