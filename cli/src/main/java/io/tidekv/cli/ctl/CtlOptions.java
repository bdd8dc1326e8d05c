package io.tidekv.cli.ctl;

import io.tidekv.cli.PdOption;
import io.tidekv.cli.client.PdClient;
import io.tidekv.proto.cluster.ClusterGrpc;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ScopeType;

/** Flags of every command here, and the call that they lead to. */
final class CtlOptions {
    /** PD answers before its own limit for an order, which is the caller's timeout. */
    private static final long GRACE_MILLIS = 5_000;

    private static final long QUESTION_MILLIS = 10_000;

    @Mixin private PdOption pd = new PdOption();

    @Option(names = "--json", scope = ScopeType.INHERIT, description = "Print JSON.")
    private boolean json;

    /** The flags of the {@code ctl} above a command; they may stand before or behind its name. */
    static CtlOptions of(@Nullable CommandSpec command) {
        for (CommandSpec at = command; at != null; at = parent(at)) {
            if (at.userObject() instanceof CtlCommand ctl) {
                return ctl.options();
            }
        }
        throw new IllegalStateException("not below ctl");
    }

    private static @Nullable CommandSpec parent(CommandSpec command) {
        return command.parent();
    }

    /** Addresses of PD. */
    String pd() {
        return pd.endpoints();
    }

    /** The id of the cluster, from PD. */
    long clusterId() {
        try (PdClient client = new PdClient(pd.endpoints())) {
            return client.clusterId();
        }
    }

    boolean json() {
        return json;
    }

    <T> T ask(Function<ClusterGrpc.ClusterBlockingStub, T> question) {
        return call(QUESTION_MILLIS, question);
    }

    /** An order that PD answers within {@code millis}. */
    <T> T order(long millis, Function<ClusterGrpc.ClusterBlockingStub, T> order) {
        return call(millis + GRACE_MILLIS, order);
    }

    private <T> T call(long millis, Function<ClusterGrpc.ClusterBlockingStub, T> call) {
        try (PdClient client = new PdClient(pd.endpoints())) {
            return client.cluster(millis, call);
        }
    }
}
