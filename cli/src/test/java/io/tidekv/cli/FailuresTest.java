package io.tidekv.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.Status;
import org.junit.jupiter.api.Test;

class FailuresTest {
    @Test
    void aStatusWithoutWordsIsToldByItsCause() {
        Throwable cause = new LinkageError("a library is missing");
        Throwable failure = Status.UNKNOWN.withCause(cause).asRuntimeException();

        assertThat(Failures.oneLine(failure)).isEqualTo("a library is missing");
        assertThat(Failures.expected(failure)).isFalse();
    }

    @Test
    void aStatusWithNothingElseIsNamed() {
        assertThat(Failures.oneLine(Status.ABORTED.asRuntimeException())).isEqualTo("ABORTED");
    }

    @Test
    void aStatusThatSaysWhatHappenedIsRepeated() {
        Throwable failure = Status.ABORTED.withDescription("term 7 is over").asRuntimeException();

        assertThat(Failures.oneLine(failure)).isEqualTo("term 7 is over");
        assertThat(Failures.expected(failure)).isTrue();
    }
}
