package io.tidekv.cli.playground;

import io.tidekv.cli.server.RoleKind;
import io.tidekv.cli.server.RunningRole;
import io.tidekv.common.Threads;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutorService;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** All roles in this process. */
final class OneProcess implements RunningCluster {
    private static final Logger log = LoggerFactory.getLogger(OneProcess.class);

    private final List<Started> started = Collections.synchronizedList(new ArrayList<>());

    private record Started(RoleSpec spec, RunningRole role) {}

    private OneProcess() {}

    /** Starts everything at once; returns when all ports answer. */
    static OneProcess start(Plan plan, Progress progress) throws IOException {
        OneProcess cluster = new OneProcess();
        int roles = plan.roles().size();
        ExecutorService starters = Threads.pool("start", roles, roles);
        try {
            List<CompletableFuture<Void>> starts = new ArrayList<>();
            for (RoleSpec spec : plan.roles()) {
                starts.add(
                        CompletableFuture.runAsync(
                                () -> cluster.startOne(spec, progress), starters));
            }
            CompletableFuture.allOf(starts.toArray(CompletableFuture[]::new)).join();
            return cluster;
        } catch (CompletionException e) {
            cluster.close();
            if (e.getCause() instanceof RuntimeException cause) {
                throw cause;
            }
            throw new IOException(e.getCause());
        } finally {
            starters.shutdown();
        }
    }

    private void startOne(RoleSpec spec, Progress progress) {
        try {
            RunningRole role = spec.kind().start(spec.kind().load(null, spec.settings()));
            started.add(new Started(spec, role));
            role.ended().thenAccept(why -> progress.line(spec.name() + " has ended: " + why));
            progress.line(spec.name() + " serves at " + role.address());
        } catch (IOException e) {
            throw new CompletionException(e);
        }
    }

    @Override
    public long pid(RoleSpec role) {
        return ProcessHandle.current().pid();
    }

    @Override
    public String failure() {
        return "";
    }

    @Override
    public void close() {
        for (RoleKind kind : List.of(RoleKind.COMPUTE, RoleKind.WAL, RoleKind.PD)) {
            for (Started one : List.copyOf(started)) {
                if (one.spec().kind() == kind) {
                    closeOne(one);
                }
            }
        }
    }

    private static void closeOne(Started one) {
        try {
            one.role().close();
        } catch (RuntimeException e) {
            log.error("{} did not end in order", one.spec().name(), e);
        }
    }
}
