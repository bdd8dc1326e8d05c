package io.tidekv.pd.grpc;

import io.grpc.Status;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import io.tidekv.pd.log.NotLeaderException;
import io.tidekv.pd.schedule.Coordinator;
import io.tidekv.pd.schedule.StoreSink;
import io.tidekv.proto.cluster.StoreCommand;
import io.tidekv.proto.cluster.StoreReport;
import java.util.ArrayDeque;
import java.util.Deque;

/**
 * One StoreSession. Reads the next report when the last one has been dealt with, so that a store
 * cannot fill PD's queue.
 */
final class StoreSessionStream implements StoreSink, StreamObserver<StoreReport> {
    /** The orders of a takeover of as many regions; what is dropped beyond is repeated later. */
    private static final int WAITING_MAX = 20_000;

    private final ServerCallStreamObserver<StoreCommand> commands;
    private final Coordinator coordinator;
    private final Guard guard;
    private final Deque<StoreCommand> waiting = new ArrayDeque<>();
    private boolean over;

    StoreSessionStream(
            ServerCallStreamObserver<StoreCommand> commands, Coordinator coordinator, Guard guard) {
        this.commands = commands;
        this.coordinator = coordinator;
        this.guard = guard;
        commands.disableAutoRequest();
        commands.setOnReadyHandler(this::flush);
        commands.setOnCancelHandler(() -> coordinator.disconnected(this));
        commands.request(1);
    }

    @Override
    public void onNext(StoreReport report) {
        try {
            guard.checkIfKnown(report.getClusterId());
        } catch (RuntimeException e) {
            fail(e);
            return;
        }
        coordinator.report(report, this, () -> commands.request(1));
    }

    @Override
    public void onError(Throwable failure) {
        coordinator.disconnected(this);
    }

    @Override
    public void onCompleted() {
        coordinator.disconnected(this);
        end();
    }

    @Override
    public synchronized void send(StoreCommand command) {
        if (!over && (waiting.size() < WAITING_MAX || command.hasFenced())) {
            waiting.add(command);
            flush();
        }
    }

    /** Sends as much as the connection takes; it calls again when it takes more. */
    private synchronized void flush() {
        while (!over && commands.isReady() && !waiting.isEmpty()) {
            commands.onNext(waiting.remove());
        }
    }

    @Override
    public synchronized void end() {
        if (!over) {
            over = true;
            waiting.forEach(commands::onNext);
            waiting.clear();
            commands.onCompleted();
        }
    }

    @Override
    public void notLeader() {
        fail(new NotLeaderException(""));
    }

    private synchronized void fail(RuntimeException failure) {
        if (!over) {
            over = true;
            Status status = Failures.status(failure).getStatus();
            commands.onError(status.asRuntimeException());
        }
    }
}
