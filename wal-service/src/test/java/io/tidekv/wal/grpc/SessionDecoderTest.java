package io.tidekv.wal.grpc;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import com.google.protobuf.CodedInputStream;
import com.google.protobuf.Descriptors.EnumDescriptor;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Message;
import io.tidekv.common.Randomness;
import io.tidekv.proto.wal.WalRequest;
import io.tidekv.proto.wal.WalRequests;
import java.io.IOException;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

/** What is decoded by hand is what the generated parser says it is. */
class SessionDecoderTest {
    private final Randomness random = Randomness.seeded(18);

    private static WalRequests decode(byte[] bytes) throws IOException {
        CodedInputStream in = CodedInputStream.newInstance(bytes);
        WalRequests message = SessionDecoder.decode(in);
        in.checkLastTagWas(0);
        return message;
    }

    /** Sets fields by chance, whatever there are: none can be forgotten. */
    private <B extends Message.Builder> B filled(B message, double chance, int depth) {
        for (FieldDescriptor field : message.getDescriptorForType().getFields()) {
            int times = field.isRepeated() ? random.nextInt(4) : 1;
            for (int i = 0; i < times && random.chance(chance); i++) {
                boolean nested = field.getJavaType() == FieldDescriptor.JavaType.MESSAGE;
                if (nested && depth == 0) {
                    continue;
                }
                Object value =
                        nested
                                ? filled(message.newBuilderForField(field), chance, depth - 1)
                                        .build()
                                : scalar(field);
                if (field.isRepeated()) {
                    message.addRepeatedField(field, value);
                } else {
                    message.setField(field, value);
                }
            }
        }
        return message;
    }

    private Object scalar(FieldDescriptor field) {
        return switch (field.getJavaType()) {
            case LONG -> random.nextLong(-5, 1L << 40);
            case INT -> random.nextInt(1 << 20);
            case BOOLEAN -> true;
            case STRING -> "text" + random.nextInt(9);
            case BYTE_STRING -> ByteString.copyFrom(new byte[random.nextInt(300)]);
            case ENUM -> {
                EnumDescriptor kinds = field.getEnumType();
                yield kinds.getValues().get(random.nextInt(kinds.getValues().size()));
            }
            default -> throw new AssertionError(field);
        };
    }

    @Test
    void aMessageIsReadAsTheGeneratedParserReadsIt() throws IOException {
        for (int i = 0; i < 2000; i++) {
            WalRequests message = filled(WalRequests.newBuilder(), i % 2 == 0 ? 0.5 : 1, 5).build();
            assertThat(decode(message.toByteArray())).isEqualTo(message);
        }
    }

    @Test
    void everyKindOfRequestIsKnown() throws IOException {
        for (FieldDescriptor field : WalRequest.getDescriptor().getFields()) {
            WalRequest.Builder request = WalRequest.newBuilder();
            Object value =
                    field.getJavaType() == FieldDescriptor.JavaType.MESSAGE
                            ? filled(request.newBuilderForField(field), 1, 5).build()
                            : scalar(field);
            WalRequests message =
                    WalRequests.newBuilder().addRequests(request.setField(field, value)).build();
            assertThat(decode(message.toByteArray())).isEqualTo(message);
        }
    }

    @Test
    void whatIsCutOrChangedIsRefusedOrReadAndNothingElse() {
        for (int i = 0; i < 3000; i++) {
            byte[] bytes = filled(WalRequests.newBuilder(), 0.7, 5).build().toByteArray();
            if (bytes.length == 0) {
                continue;
            }
            if (random.chance(0.5)) {
                bytes = Arrays.copyOf(bytes, random.nextInt(bytes.length));
            } else {
                bytes[random.nextInt(bytes.length)] = (byte) random.nextInt(256);
            }
            boolean ours = reads(bytes, SessionDecoderTest::decode);
            boolean theirs = reads(bytes, WalRequests::parseFrom);
            assertThat(ours).as("message %s", i).isEqualTo(theirs);
        }
    }

    private interface Reader {
        Object read(byte[] bytes) throws IOException;
    }

    private static boolean reads(byte[] bytes, Reader reader) {
        try {
            reader.read(bytes);
            return true;
        } catch (IOException e) {
            return false;
        }
    }
}
