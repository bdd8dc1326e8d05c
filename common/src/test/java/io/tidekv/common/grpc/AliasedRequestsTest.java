package io.tidekv.common.grpc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteOutput;
import com.google.protobuf.ByteString;
import com.google.protobuf.UnsafeByteOperations;
import io.grpc.KnownLength;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.tidekv.proto.region.Entry;
import io.tidekv.proto.wal.WalGrpc;
import io.tidekv.proto.wal.WalRequest;
import io.tidekv.proto.wal.WalRequests;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

class AliasedRequestsTest {
    /** A message as gRPC hands it over. */
    private static final class Received extends ByteArrayInputStream implements KnownLength {
        Received(byte[] bytes) {
            super(bytes);
        }
    }

    /** Remembers the array that it was shown. */
    private static final class Shown extends ByteOutput {
        byte[] array = {};

        @Override
        public void writeLazy(byte[] value, int offset, int length) {
            array = value;
        }

        @Override
        public void write(byte value) {
            throw new AssertionError();
        }

        @Override
        public void write(byte[] value, int offset, int length) {
            throw new AssertionError();
        }

        @Override
        public void write(ByteBuffer value) {
            throw new AssertionError();
        }

        @Override
        public void writeLazy(ByteBuffer value) {
            throw new AssertionError();
        }
    }

    private static byte[] arrayOf(ByteString bytes) throws IOException {
        Shown shown = new Shown();
        UnsafeByteOperations.unsafeWriteTo(bytes, shown);
        return shown.array;
    }

    @SuppressWarnings("unchecked") // the method's own type
    private static MethodDescriptor.Marshaller<WalRequests> requests() {
        return (MethodDescriptor.Marshaller<WalRequests>)
                AliasedRequests.of(new WalGrpc.WalImplBase() {}.bindService())
                        .getMethod(WalGrpc.getSessionMethod().getFullMethodName())
                        .getMethodDescriptor()
                        .getRequestMarshaller();
    }

    private static WalRequests message() {
        WalRequests.Builder message = WalRequests.newBuilder();
        for (int i = 1; i <= 2; i++) {
            Entry entry =
                    Entry.newBuilder()
                            .setIndex(i)
                            .setData(ByteString.copyFrom(new byte[] {1, 2, (byte) i}))
                            .build();
            WalRequest.Builder request = message.addRequestsBuilder().setRegionId(i);
            request.getAppendBuilder().addEntries(entry);
        }
        return message.build();
    }

    @Test
    void decodesWithoutCopyingFields() throws IOException {
        WalRequests decoded = requests().parse(new Received(message().toByteArray()));
        assertThat(decoded).isEqualTo(message());
        assertThat(arrayOf(decoded.getRequests(0).getAppend().getEntries(0).getData()))
                .isSameAs(arrayOf(decoded.getRequests(1).getAppend().getEntries(0).getData()));
    }

    @Test
    void decodesStreamsOfUnknownLengthAsBefore() {
        InputStream stream = new ByteArrayInputStream(message().toByteArray());
        assertThat(requests().parse(stream)).isEqualTo(message());
    }

    @Test
    void tellsWhatIsNoMessage() {
        byte[] bytes = message().toByteArray();
        for (int length = 1; length < bytes.length; length++) {
            byte[] cut = Arrays.copyOf(bytes, length);
            try {
                requests().parse(new Received(cut));
            } catch (StatusRuntimeException e) {
                assertThat(e.getStatus().getCode()).isEqualTo(Status.Code.INTERNAL);
            }
        }
        assertThatThrownBy(() -> requests().parse(new Received(new byte[] {(byte) 0xff})))
                .isInstanceOf(StatusRuntimeException.class)
                .hasMessageContaining("Invalid protobuf");
    }

    @Test
    void leavesAnswersAsTheyAre() {
        var tail = WalGrpc.getTailMethod();
        var kept =
                AliasedRequests.of(new WalGrpc.WalImplBase() {}.bindService())
                        .getMethod(tail.getFullMethodName())
                        .getMethodDescriptor();
        assertThat(tail.getResponseMarshaller()).isSameAs(kept.getResponseMarshaller());
    }
}
