package io.tidekv.compute.service;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidekv.common.error.KvException;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

class LatchesTest {
    private final Latches latches = new Latches(64, 100);
    private final List<String> granted = new ArrayList<>();

    @Test
    void theSecondOnAKeyWaitsForTheFirst() {
        Latches.Ticket first = acquire("1", 3);
        Latches.Ticket second = acquire("2", 3);
        Latches.Ticket other = acquire("3", 4);
        assertThat(first.isGrantedAtOnce()).isTrue();
        assertThat(second.isGrantedAtOnce()).isFalse();
        assertThat(other.isGrantedAtOnce()).isTrue();
        first.close();
        assertThat(granted).containsExactly("2");
        second.close();
        assertThat(latches.waiting()).isZero();
    }

    @Test
    void oneStartsOnlyWhenAllItsSlotsAreFree() {
        Latches.Ticket first = acquire("1", 1);
        Latches.Ticket second = acquire("2", 2);
        acquire("both", 1, 2);
        first.close();
        assertThat(granted).isEmpty();
        second.close();
        assertThat(granted).containsExactly("both");
    }

    @Test
    void leavingWhileWaitingLetsOthersPass() {
        Latches.Ticket first = acquire("1", 1);
        Latches.Ticket gone = acquire("gone", 1, 2);
        Latches.Ticket behind = acquire("behind", 2);
        assertThat(behind.isGrantedAtOnce()).isFalse();
        gone.close();
        gone.close();
        assertThat(granted).containsExactly("behind");
        first.close();
        assertThat(granted).containsExactly("behind");
    }

    @Test
    void tooManyWaitingAreRefused() {
        acquire("holder", 1);
        for (int i = 0; i < 100; i++) {
            acquire("w" + i, 1);
        }
        assertThatThrownBy(() -> acquire("too many", 1)).isInstanceOf(KvException.class);
    }

    @Test
    void equalKeysShareASlotAndSlotsAreSortedOnce() {
        int[] slots = latches.slots(List.of(new byte[] {1}, new byte[] {2}, new byte[] {1}));
        assertThat(slots).isSorted().doesNotHaveDuplicates();
        assertThat(latches.slots(List.of(new byte[] {1}))[0])
                .isIn(slots[0], slots[slots.length - 1]);
    }

    /** Whatever the order of coming and going, a slot has one holder and nobody is forgotten. */
    @Test
    void everyoneIsServedAndNobodyShares() {
        long seed = 31;
        Random random = new Random(seed);
        Latches busy = new Latches(8, 10_000);
        int[] holders = new int[8];
        List<Runnable> toLeave = new ArrayList<>();
        int[] served = {0};
        int wanted = 2_000;
        for (int i = 0; i < wanted; i++) {
            int[] slots = random.ints(3, 0, 8).sorted().distinct().toArray();
            Consumer<Latches.Ticket> hold =
                    ticket -> {
                        for (int slot : slots) {
                            assertThat(++holders[slot]).as("seed %d", seed).isEqualTo(1);
                        }
                        toLeave.add(
                                () -> {
                                    for (int slot : slots) {
                                        holders[slot]--;
                                    }
                                    served[0]++;
                                    ticket.close();
                                });
                    };
            Latches.Ticket ticket = busy.acquire(slots, hold);
            if (ticket.isGrantedAtOnce()) {
                hold.accept(ticket);
            }
            while (!toLeave.isEmpty() && random.nextInt(3) > 0) {
                toLeave.remove(random.nextInt(toLeave.size())).run();
            }
        }
        while (!toLeave.isEmpty()) {
            toLeave.remove(0).run();
        }
        assertThat(served[0]).as("seed %d", seed).isEqualTo(wanted);
        assertThat(busy.waiting()).isZero();
    }

    private Latches.Ticket acquire(String name, int... slots) {
        return latches.acquire(slots, ticket -> granted.add(name));
    }
}
