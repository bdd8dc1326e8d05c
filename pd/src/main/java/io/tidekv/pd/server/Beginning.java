package io.tidekv.pd.server;

import io.tidekv.common.Randomness;
import io.tidekv.common.time.Clock;
import io.tidekv.pd.core.PdState;
import io.tidekv.pd.ratis.RatisStateLog;
import io.tidekv.pd.routing.Members;
import io.tidekv.proto.cluster.ClusterSettings;
import io.tidekv.proto.pdstate.Command;
import io.tidekv.proto.pdstate.InitCluster;
import io.tidekv.proto.pdstate.RestorePlan;
import io.tidekv.proto.pdstate.Result;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What a node does until it is part of the cluster: the first leader gives the cluster its id, and
 * every node makes itself known to clients. Repeated until the state shows it. Runs on PD's loop.
 */
final class Beginning {
    private static final Logger log = LoggerFactory.getLogger(Beginning.class);

    private final RatisStateLog stateLog;
    private final Members members;
    private final PdConfig config;
    private final Clock clock;
    private final Randomness randomness;
    private final Executor loop;
    private final CountDownLatch ready;
    private boolean under;
    private volatile String refusal = "";

    Beginning(
            RatisStateLog stateLog,
            Members members,
            PdConfig config,
            Clock clock,
            Randomness randomness,
            Executor loop,
            CountDownLatch ready) {
        this.stateLog = stateLog;
        this.members = members;
        this.config = config;
        this.clock = clock;
        this.randomness = randomness;
        this.loop = loop;
        this.ready = ready;
    }

    /** Why this node cannot be part of the cluster; empty when it can. */
    String refusal() {
        return refusal;
    }

    void step() {
        if (under || ready.getCount() == 0) {
            return;
        }
        boolean leading = stateLog.leadership().leading();
        if (stateLog.read(PdState::clusterId) == 0) {
            if (leading && refusal.isEmpty()) {
                begin();
            }
            return;
        }
        if (!stateLog.read(s -> s.members().contains(members.self()))) {
            Command command = Command.newBuilder().setPublishMember(members.self()).build();
            if (leading) {
                await(stateLog.submit(command));
            } else if (!stateLog.leadership().leader().isEmpty()
                    && !stateLog.leadership().leader().equals(members.self().getName())) {
                await(stateLog.forward(command));
            }
            return;
        }
        checkMode();
        ready.countDown();
    }

    /** Goes on when the command is through; after a failure the next tick tries again. */
    private void await(CompletableFuture<Result> command) {
        under = true;
        command.whenCompleteAsync(
                (result, failure) -> {
                    under = false;
                    if (failure == null) {
                        step();
                    }
                },
                loop);
    }

    private void begin() {
        if (config.restorePlan().isEmpty()) {
            // As PD's ids: the time in the upper half, chance in the lower; positive for ever.
            long id = (clock.wallMillis() / 1000) << 32 | (randomness.nextLong() & 0xFFFF_FFFFL);
            await(stateLog.submit(initCluster(id, config.pdServer().apiMode(), null)));
            return;
        }
        try (InputStream in = Files.newInputStream(Path.of(config.restorePlan()))) {
            RestorePlan plan = RestorePlan.parseFrom(in);
            log.info(
                    "the cluster {} is restored: {} regions",
                    Long.toUnsignedString(plan.getClusterId()),
                    plan.getRegionsCount());
            await(stateLog.submit(initCluster(plan.getClusterId(), plan.getApiMode(), plan)));
        } catch (IOException e) {
            refusal = "restore-plan cannot be read: " + e.getMessage();
            log.error("{}", refusal);
            ready.countDown();
        }
    }

    private Command initCluster(long id, int apiMode, @Nullable RestorePlan plan) {
        InitCluster.Builder init =
                InitCluster.newBuilder()
                        .setClusterId(id)
                        .setAtMillis(clock.wallMillis())
                        .setSettings(
                                ClusterSettings.newBuilder()
                                        .setApiMode(apiMode)
                                        .setVoters(config.replication().voters()));
        if (plan != null) {
            init.setRestore(plan);
        }
        return Command.newBuilder().setInitCluster(init).build();
    }

    private void checkMode() {
        int wanted = config.pdServer().apiMode();
        int actual = stateLog.read(s -> s.settings().getApiMode());
        if (wanted != 0 && actual != 0 && wanted != actual) {
            refusal =
                    "this cluster has been begun with API mode "
                            + PdState.modeName(actual)
                            + ", and pd-server.api-version asks for "
                            + PdState.modeName(wanted)
                            + ": use another data-dir, or the cluster's mode";
            log.error("{}", refusal);
        }
    }
}
