package io.tidekv.common.log;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import org.junit.jupiter.api.Test;

class RedactedTest {
    @Test
    void keysAreHiddenUnlessAskedFor() {
        assertThat(Redacted.key(new byte[] {1, 2})).isEqualTo("<2 bytes>");
        assertThat(Redacted.key(ByteString.EMPTY)).isEqualTo("<empty>");
        assertThat(Redacted.show(ByteString.copyFrom(new byte[] {1, -1}), true)).isEqualTo("01ff");
        assertThat(Redacted.show(ByteString.copyFrom(new byte[100]), true))
                .endsWith("…(100 bytes)");
    }
}
