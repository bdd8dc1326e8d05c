package io.tidekv.compute.service;

import com.google.protobuf.ByteString;
import io.tidekv.common.time.ManualClock;
import io.tidekv.common.time.Scheduler;
import io.tidekv.compute.deadlock.DeadlockDetector;
import io.tidekv.compute.deadlock.DeadlockGraph.Wait;
import io.tidekv.compute.mvcc.LockKind;
import io.tidekv.compute.mvcc.LockRecord;
import io.tidekv.compute.mvcc.TxnError;
import io.tidekv.compute.mvcc.TxnKey;
import io.tidekv.compute.txn.Released;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.jetbrains.lincheck.datastructures.IntGen;
import org.jetbrains.lincheck.datastructures.ModelCheckingOptions;
import org.jetbrains.lincheck.datastructures.Operation;
import org.jetbrains.lincheck.datastructures.Param;
import org.jetbrains.lincheck.datastructures.Validate;
import org.junit.jupiter.api.Test;

/**
 * Latches and lock-wait queues under a model checker: a slot has one holder at a time, and in the
 * end everybody has had a turn or been told. {@code -Dlincheck.iterations} and {@code
 * -Dlincheck.invocations} set how much is tried.
 */
class WaitingModelCheckTest {
    private static final int ITERATIONS = Integer.getInteger("lincheck.iterations", 1);
    private static final int INVOCATIONS = Integer.getInteger("lincheck.invocations", 25);

    /** How busy the machine is decides nothing. */
    private static final long PATIENCE_MS = 600_000;

    private static void check(Class<?> model) {
        new ModelCheckingOptions()
                .iterations(ITERATIONS)
                .invocationsPerIteration(INVOCATIONS)
                .threads(2)
                .actorsPerThread(3)
                .actorsBefore(1)
                .actorsAfter(1)
                .invocationTimeout$lincheck(PATIENCE_MS)
                .check(model);
    }

    /** Commands on two keys; whoever leaves starts the next. */
    @Param(name = "slots", gen = IntGen.class, conf = "1:3")
    public static class LatchModel {
        private final Latches latches = new Latches(2, 100);
        private final List<Command> commands = new ArrayList<>();
        private final int[] holders = new int[2];
        private boolean shared;

        private static final class Command {
            private final int[] slots;
            private Latches.Ticket ticket;
            private boolean running;
            private boolean left;

            Command(int[] slots) {
                this.slots = slots;
            }
        }

        @Operation
        public void enter(@Param(name = "slots") int which) {
            Command command = new Command(which == 3 ? new int[] {0, 1} : new int[] {which - 1});
            Latches.Ticket ticket = latches.acquire(command.slots, granted -> run(command));
            boolean atOnce = ticket.isGrantedAtOnce();
            synchronized (commands) {
                command.ticket = ticket;
                commands.add(command);
            }
            if (atOnce) {
                run(command);
            }
        }

        /** The oldest of those that run leaves. */
        @Operation
        public void leave() {
            Command command = oldest();
            if (command == null) {
                return;
            }
            synchronized (commands) {
                for (int slot : command.slots) {
                    holders[slot]--;
                }
            }
            command.ticket.close();
        }

        private Command oldest() {
            synchronized (commands) {
                for (Command command : commands) {
                    if (command.running && !command.left) {
                        command.left = true;
                        return command;
                    }
                }
                return null;
            }
        }

        private void run(Command command) {
            synchronized (commands) {
                command.running = true;
                for (int slot : command.slots) {
                    shared |= ++holders[slot] > 1;
                }
            }
        }

        @Validate
        public void everybodyGetsATurnAlone() {
            for (int i = 0; i < commands.size(); i++) {
                leave();
            }
            if (shared || latches.waiting() != 0 || commands.stream().anyMatch(c -> !c.left)) {
                throw new IllegalStateException("a slot had two holders, or somebody waits on");
            }
        }
    }

    @Test
    void latches() {
        check(LatchModel.class);
    }

    /** Waits for one key, with a clock that stands still: timers run when they are told to. */
    @Param(name = "ts", gen = IntGen.class, conf = "1:4")
    public static class WaitModel {
        private static final ByteString KEY = ByteString.copyFromUtf8("k");

        private final List<Runnable> timers = new ArrayList<>();
        private final List<Wait> known = new ArrayList<>();
        private final List<LockWaits.Waiter> waiters = new ArrayList<>();
        private final LockWaits waits =
                new LockWaits(
                        100,
                        new ManualClock(),
                        new Timers(timers),
                        Runnable::run,
                        new Known(known));

        @Operation
        public void enter(@Param(name = "ts") int startTs) {
            LockWaits.Waiter waiter =
                    waits.enter(
                            new TxnError.Locked(KEY, lock(100)),
                            startTs,
                            startTs % 2 == 0,
                            ByteString.EMPTY,
                            Duration.ofHours(1));
            synchronized (waiters) {
                waiters.add(waiter);
            }
        }

        @Operation
        public void released(@Param(name = "ts") int holder) {
            waits.released(List.of(new Released(TxnKey.of(KEY), holder, 0)));
        }

        @Operation
        public void acquired(@Param(name = "ts") int holder) {
            waits.acquired(TxnKey.of(KEY), lock(100 + holder));
        }

        /** The oldest timer is due: a timeout, or the waking of the rest. */
        @Operation
        public void tick() {
            Runnable due;
            synchronized (timers) {
                due = timers.isEmpty() ? () -> {} : timers.remove(0);
            }
            due.run();
        }

        private static LockRecord lock(long startTs) {
            return LockRecord.builder(LockKind.PESSIMISTIC, ByteString.EMPTY, startTs).build();
        }

        @Validate
        public void whoIsNotWaitingIsTold() {
            long waiting = waiters.stream().filter(waiter -> !waiter.end().isDone()).count();
            if ((waiting > 0) != waits.isWaitedFor(TxnKey.of(KEY)) || known.size() != waiting) {
                throw new IllegalStateException(
                        waiting + " wait, the detector knows of " + known.size());
            }
        }
    }

    /** Keeps what is due later until somebody runs it. */
    private record Timers(List<Runnable> tasks) implements Scheduler {
        @Override
        public Cancellable after(Duration delay, Runnable task) {
            synchronized (tasks) {
                tasks.add(task);
            }
            return () -> {};
        }

        @Override
        public Cancellable every(Duration period, Runnable task) {
            throw new UnsupportedOperationException("nothing is done again and again");
        }
    }

    private record Known(List<Wait> waits) implements DeadlockDetector {
        @Override
        public void enter(Wait wait, Consumer<List<Wait>> circle) {
            synchronized (waits) {
                waits.add(wait);
            }
        }

        @Override
        public void leave(Wait wait) {
            synchronized (waits) {
                // Each wait is told once, and may be taken back twice.
                waits.removeIf(each -> each == wait);
            }
        }
    }

    @Test
    void lockWaits() {
        check(WaitModel.class);
    }
}
