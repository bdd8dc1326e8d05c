package io.tidekv.common.history;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidekv.common.history.ScanChecker.Pair;
import io.tidekv.common.history.ScanChecker.Scan;
import io.tidekv.common.history.WriteSkewChecker.Taker;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** The judges of single invariants, each with histories that it must not let through. */
class InvariantCheckersTest {
    private static final List<String> BANK_BAD =
            List.of(
                    "a10 b10 c11",
                    "a10 b10 c9",
                    "a0 b0 c0",
                    "a30 b0 c1",
                    "a-1 b21 c10",
                    "a31 b-1 c0",
                    "a10 b20",
                    "b15 c15",
                    "a30",
                    "",
                    "a10 b10 c10 d0",
                    "a10 b10 c0 d10",
                    "a20 b20 c20",
                    "a15 b15 c-0 d0",
                    "a5 b5 c5",
                    "a-10 b20 c20",
                    "a10 b10 c10;a10 b10 c12");

    private static final List<String> FORK_BAD =
            List.of(
                    "x1 y0;x0 y1",
                    "x0 y1;x1 y0",
                    "x1 y1;x1 y0;x0 y1",
                    "x1 y0 z0;x0 y1 z0",
                    "x1 y0 z1;x0 y1 z1",
                    "x0 y0;x1 y0;x0 y1",
                    "x1 z0;y1 z1 x0",
                    "x1 y1 z0;z1 x0",
                    "x1 y0;y1 z0;z1 y0;y1 x0",
                    "a1 b1 c0;c1 a0",
                    "a1 b0;c1 d0;a0 b1",
                    "a1 b0;b0 a1;b1 a0",
                    "p1 q0 r1 s0;q1 p0",
                    "p1 q0 r1 s0;s1 r0",
                    "m1 n0;n1 m0 o1",
                    "m0 n1 o0;o1 m1 n0");

    private static final List<String> SKEW_BAD =
            List.of(
                    "1 C p 0 0,0;2 C p 1 0,0",
                    "1 C p 0 0,0;2 C p 0 0,0",
                    "1 C p 0 0,0;2 C p 1 1,0",
                    "1 C p 0 0,0;2 C p 0 1,0",
                    "1 C p 1 0,0;2 C p 0 0,1",
                    "1 A p 0 0,0;2 C p -1 1,0",
                    "1 C p 0 0,0;2 C p -1 0,1",
                    "1 C p 0 0,0;2 C q -1 1,0",
                    "2 C p -1 7,0",
                    "1 U p 0 0,0;2 U p 1 0,0;3 C p -1 1,2",
                    "1 C p 0 0,0;2 C q 1 0,0;3 C q 0 0,0",
                    "1 U p 0 0,0;2 C p 1 1,0",
                    "1 C p -1 0,0;2 C p -1 1,0",
                    "1 C p 0 0,0;2 U p 1 0,0;3 C p -1 1,2",
                    "1 C p 1 0,0;2 C p 1 0,1;3 C p -1 0,2",
                    "1 C p 0 0,0;2 C p 1 0,0;3 C p 0 0,0");

    private static final List<String> SCAN_BAD =
            List.of(
                    "25 a-z 9 f a=1",
                    "25 a-z 9 f b=2",
                    "25 a-z 9 f b=2 a=1",
                    "25 a-z 9 f",
                    "25 a-z 9 f a=1 b=2 c=3",
                    "25 a-z 9 f a=1 a=1 b=2",
                    "25 b-z 9 f a=1 b=2",
                    "25 a-b 9 f a=1 b=2",
                    "25 a-z 1 f a=1 b=2",
                    "25 a-z 1 f b=2",
                    "25 a-z 9 f a=1 b=9",
                    "15 a-z 9 f a=1 b=2",
                    "45 a-z 9 f a=1 b=2 c=3",
                    "45 a-z 9 f a=4",
                    "25 a-z 9 r a=1 b=2",
                    "25 a-z 1 r a=1",
                    "25 a-z 9 f a=2 b=1",
                    "5 a-z 9 f a=1",
                    "45 a-z 9 f b=2 c=3");

    @Test
    void moneyNeverAppearsOrDisappears() {
        BankChecker bank = new BankChecker(Set.of("a", "b", "c"), 30, false);
        assertThat(bank.check(balances("a10 b10 c10;a0 b30 c0;a5 b5 c20"))).isEmpty();
        for (String bad : BANK_BAD) {
            assertThat(bank.check(balances(bad))).as(bad).isNotEmpty();
        }
    }

    @Test
    void allSeeWritesInOneOrder() {
        assertThat(LongForkChecker.check(seen("x0 y0;x1 y0;x1 y1;y0;x1"))).isEmpty();
        for (String bad : FORK_BAD) {
            assertThat(LongForkChecker.check(seen(bad))).as(bad).isNotEmpty();
        }
    }

    @Test
    void aPairIsTakenOnce() {
        assertThat(
                        WriteSkewChecker.check(
                                takers("1 C p 0 0,0;2 A p 1 0,0;3 C p -1 1,0;4 C q 1 0,0")))
                .isEmpty();
        for (String bad : SKEW_BAD) {
            assertThat(WriteSkewChecker.check(takers(bad))).as(bad).isNotEmpty();
        }
    }

    @Test
    void scansShowTheirRangeAndNothingElse() {
        ScanChecker checker = new ScanChecker();
        checker.committed("a", 10, "1");
        checker.committed("b", 20, "2");
        checker.committed("c", 30, "3");
        checker.committed("a", 40, "4");
        checker.committed("c", 41, null);
        for (String good :
                List.of(
                        "25 a-z 9 f a=1 b=2",
                        "25 a-z 9 r b=2 a=1",
                        "5 a-z 9 f",
                        "25 a-z 1 f a=1",
                        "45 a- 9 f a=4 b=2",
                        "35 b-c 9 f b=2",
                        "35 b- 9 r c=3 b=2")) {
            assertThat(checker.check(scan(good))).as(good).isEmpty();
        }
        for (String bad : SCAN_BAD) {
            assertThat(checker.check(scan(bad))).as(bad).isNotEmpty();
        }
    }

    private static List<Map<String, Long>> balances(String text) {
        List<Map<String, Long>> reads = new ArrayList<>();
        for (String line : text.split(";", -1)) {
            Map<String, Long> read = new LinkedHashMap<>();
            for (String each : line.split(" ")) {
                if (!each.isEmpty()) {
                    read.put(each.substring(0, 1), Long.parseLong(each.substring(1)));
                }
            }
            reads.add(read);
        }
        return reads;
    }

    private static List<Map<String, Boolean>> seen(String text) {
        List<Map<String, Boolean>> reads = new ArrayList<>();
        for (Map<String, Long> each : balances(text)) {
            Map<String, Boolean> read = new LinkedHashMap<>();
            each.forEach((key, value) -> read.put(key, value == 1));
            reads.add(read);
        }
        return reads;
    }

    private static List<Taker> takers(String text) {
        List<Taker> takers = new ArrayList<>();
        for (String line : text.split(";")) {
            String[] parts = line.split(" ");
            String[] sides = parts[4].split(",");
            takers.add(
                    new Taker(
                            Long.parseLong(parts[0]),
                            SnapshotCheckerTest.fate(parts[1]),
                            parts[2],
                            Integer.parseInt(parts[3]),
                            List.of(Long.parseLong(sides[0]), Long.parseLong(sides[1]))));
        }
        return takers;
    }

    private static Scan scan(String text) {
        String[] parts = text.split(" ");
        String[] range = parts[1].split("-", -1);
        List<Pair> pairs = new ArrayList<>();
        for (int i = 4; i < parts.length; i++) {
            String[] pair = parts[i].split("=");
            pairs.add(new Pair(pair[0], pair[1]));
        }
        return new Scan(
                Long.parseLong(parts[0]),
                range[0],
                range[1],
                Integer.parseInt(parts[2]),
                parts[3].equals("r"),
                pairs);
    }
}
