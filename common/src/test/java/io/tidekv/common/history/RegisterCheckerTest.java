package io.tidekv.common.history;

import static io.tidekv.common.history.RegisterOp.NEVER;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class RegisterCheckerTest {
    private static RegisterOp r(@Nullable String seen, long began, long ended) {
        return RegisterOp.read("k", seen, began, ended);
    }

    private static RegisterOp w(String value, long began, long ended) {
        return RegisterOp.write("k", value, began, ended);
    }

    private static RegisterOp s(@Nullable String expected, String value, long began, long ended) {
        return RegisterOp.swap("k", expected, value, began, ended);
    }

    private static Arguments of(String what, RegisterOp... ops) {
        return Arguments.of(what, List.of(ops));
    }

    static Stream<Arguments> bad() {
        return Stream.of(
                of("stale read", w("a", 1, 2), w("b", 3, 4), r("a", 5, 6)),
                of("lost write", w("a", 1, 2), r(null, 3, 4)),
                of("read from nowhere", w("a", 1, 2), r("z", 3, 4)),
                of("read before it was written", r("a", 1, 2), w("a", 3, 4)),
                of(
                        "back and forth",
                        w("a", 1, 9),
                        w("b", 1, 9),
                        r("a", 2, 3),
                        r("b", 4, 5),
                        r("a", 6, 7)),
                of("two readers disagree", w("a", 1, 20), r("a", 2, 3), r(null, 4, 5)),
                of("unknown write seen, then gone", w("a", 1, NEVER), r("a", 2, 3), r(null, 4, 5)),
                of(
                        "unknown write takes effect twice",
                        w("a", 1, NEVER),
                        r("a", 2, 3),
                        w("b", 4, 5),
                        r("a", 6, 7)),
                of("unknown write before it was asked for", r("a", 1, 2), w("a", 3, NEVER)),
                of(
                        "two swaps of one value",
                        s(null, "a", 1, 2),
                        s("a", "b", 3, 9),
                        s("a", "c", 3, 9)),
                of("swap of what is gone", w("a", 1, 2), w("b", 3, 4), s("a", "c", 5, 6)),
                of("swap of nothing over something", w("a", 1, 2), s(null, "b", 3, 4)),
                of("lost swap", s(null, "a", 1, 2), s("a", "b", 3, 4), r("a", 5, 6)),
                of(
                        "unknown swap whose condition never held",
                        w("a", 1, 2),
                        s("z", "b", 3, NEVER),
                        r("b", 4, 5)),
                of(
                        "unknown swap after its chance",
                        w("a", 1, 2),
                        w("c", 3, 4),
                        s("a", "b", 5, NEVER),
                        r("b", 6, 7)),
                of(
                        "write undone by a later one's failure",
                        w("a", 1, 2),
                        w("b", 3, NEVER),
                        r("b", 4, 5),
                        r("a", 6, 7)),
                of("a value written twice", w("a", 1, 2), w("a", 3, 4)),
                of("answered before it was asked", w("a", 5, 4)),
                of(
                        "one good register does not excuse another",
                        RegisterOp.write("j", "x", 1, 2),
                        RegisterOp.read("j", "x", 3, 4),
                        w("a", 1, 2),
                        r(null, 3, 4)));
    }

    static Stream<Arguments> good() {
        return Stream.of(
                of("nothing"),
                of("one after the other", r(null, 1, 2), w("a", 3, 4), r("a", 5, 6)),
                of("overlapping read sees either", w("a", 1, 10), r(null, 2, 3), r("a", 4, 5)),
                of("overlapping writes in any order", w("a", 1, 9), w("b", 1, 9), r("b", 10, 11)),
                of("unknown write, never seen", w("a", 1, NEVER), r(null, 2, 3)),
                of("unknown write, seen late", w("a", 1, NEVER), r(null, 2, 3), r("a", 400, 500)),
                of("swaps in a chain", s(null, "a", 1, 9), s("a", "b", 1, 9), s("b", "c", 1, 9)),
                of("unknown swap, seen", w("a", 1, 2), s("a", "b", 3, NEVER), r("b", 9, 10)),
                of("answer and question at one instant", w("a", 1, 5), r(null, 5, 6)));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("bad")
    void rejects(String what, List<RegisterOp> history) {
        assertThat(RegisterChecker.check(history)).hasSize(1);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("good")
    void accepts(String what, List<RegisterOp> history) {
        assertThat(RegisterChecker.check(history)).isEmpty();
    }

    /** Short histories, good and bad, against trying every order. */
    @Test
    void agreesWithTryingEverything() {
        long seed = Long.getLong("seed", 5);
        Random random = new Random(seed);
        int wrong = 0;
        for (int i = 0; i < 4000; i++) {
            List<RegisterOp> history = history(random);
            boolean possible = possible(history, null);
            assertThat(RegisterChecker.check(history).isEmpty())
                    .as("seed %d, history %d: %s", seed, i, history)
                    .isEqualTo(possible);
            wrong += possible ? 0 : 1;
        }
        assertThat(wrong).isBetween(1000, 3500);
    }

    private static List<RegisterOp> history(Random random) {
        List<RegisterOp> history = new ArrayList<>();
        int length = 2 + random.nextInt(5);
        for (int i = 0; i < length; i++) {
            long began = random.nextInt(12);
            long ended = began + 1 + random.nextInt(6);
            int any = random.nextInt(length + 1);
            String seen = any == length ? null : "v" + any;
            boolean unsure = random.nextInt(4) == 0;
            history.add(
                    switch (random.nextInt(3)) {
                        case 0 -> r(seen, began, ended);
                        case 1 -> w("v" + i, began, unsure ? NEVER : ended);
                        default -> s(seen, "v" + i, began, unsure ? NEVER : ended);
                    });
        }
        return history;
    }

    private static boolean possible(List<RegisterOp> left, @Nullable String value) {
        if (left.stream().noneMatch(op -> op.ended() != NEVER)) {
            return true;
        }
        for (RegisterOp next : left) {
            boolean mayBeNext = left.stream().noneMatch(other -> other.ended() < next.began());
            if (mayBeNext && (!next.reads() || Objects.equals(next.seen(), value))) {
                List<RegisterOp> rest = new ArrayList<>(left);
                rest.remove(next);
                if (possible(rest, next.writes() ? next.written() : value)) {
                    return true;
                }
            }
        }
        return false;
    }
}
