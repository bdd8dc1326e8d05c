package io.tidekv.pd.ratis;

import io.tidekv.common.Threads;
import io.tidekv.common.config.HostPort;
import io.tidekv.pd.core.PdState;
import io.tidekv.pd.log.Leadership;
import io.tidekv.pd.log.NotLeaderException;
import io.tidekv.pd.log.StateLog;
import io.tidekv.proto.pdstate.Command;
import io.tidekv.proto.pdstate.Result;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Function;
import org.apache.ratis.client.RaftClient;
import org.apache.ratis.conf.RaftProperties;
import org.apache.ratis.protocol.ClientId;
import org.apache.ratis.protocol.Message;
import org.apache.ratis.protocol.RaftClientReply;
import org.apache.ratis.protocol.RaftClientRequest;
import org.apache.ratis.protocol.RaftGroup;
import org.apache.ratis.protocol.RaftGroupId;
import org.apache.ratis.protocol.RaftPeer;
import org.apache.ratis.protocol.RaftPeerId;
import org.apache.ratis.retry.RetryPolicies;
import org.apache.ratis.server.DivisionInfo;
import org.apache.ratis.server.RaftServer;
import org.apache.ratis.server.storage.RaftStorage;
import org.apache.ratis.thirdparty.com.google.protobuf.UnsafeByteOperations;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * PD's log on Ratis. Calls go straight to the server in this process: no client, no network hop.
 */
public final class RatisStateLog implements StateLog {
    private static final Logger log = LoggerFactory.getLogger(RatisStateLog.class);
    private static final RaftGroupId GROUP =
            RaftGroupId.valueOf(
                    UUID.nameUUIDFromBytes("tidekv-pd".getBytes(StandardCharsets.UTF_8)));

    /** A majority that does not answer for so long is not there. */
    private static final long SUBMIT_SECONDS = 10;

    private static final int COMPLETIONS_MAX = 1_000_000;

    private final RatisOptions options;
    private final List<Runnable> listeners = new CopyOnWriteArrayList<>();
    private final PdStateMachine machine = new PdStateMachine(this::leadershipChanged);
    private final ClientId clientId = ClientId.randomId();
    private final AtomicLong nextCall = new AtomicLong(1);
    private final RaftServer server;
    private final DivisionInfo info;

    /**
     * Completes calls. Ratis completes some while it holds its locks; a caller that goes on with
     * another call on that thread would wait for itself.
     */
    private final ExecutorService completions = Threads.pool("pd-log", 1, COMPLETIONS_MAX);

    private RatisStateLog(RatisOptions options) throws IOException {
        this.options = options;
        RaftProperties properties = RatisSettings.of(options);
        server =
                RaftServer.newBuilder()
                        .setServerId(RaftPeerId.valueOf(options.name()))
                        .setGroup(group(options))
                        .setStateMachine(machine)
                        .setProperties(properties)
                        .setOption(startupOption(options))
                        .build();
        server.start();
        info = server.getDivision(GROUP).getInfo();
    }

    /** Joins the group. Returns at once; {@link #leadership} tells when there is a leader. */
    public static RatisStateLog start(RatisOptions options) throws IOException {
        try {
            return new RatisStateLog(options);
        } catch (UncheckedIOException e) {
            throw new IOException(
                    "PD cannot listen for its peers on " + options.listen() + ": " + e.getCause(),
                    e);
        }
    }

    /** Formatting is for a folder without a group: Ratis would also format over one. */
    private static RaftStorage.StartupOption startupOption(RatisOptions options) {
        Path group = options.folder().resolve(GROUP.getUuid().toString());
        return Files.exists(group)
                ? RaftStorage.StartupOption.RECOVER
                : RaftStorage.StartupOption.FORMAT;
    }

    static RaftGroup group(RatisOptions options) {
        List<RaftPeer> peers =
                options.peers().entrySet().stream()
                        .map(p -> peer(p.getKey(), p.getValue()))
                        .toList();
        return RaftGroup.valueOf(GROUP, peers);
    }

    private static RaftPeer peer(String name, HostPort address) {
        return RaftPeer.newBuilder().setId(name).setAddress(address.toString()).build();
    }

    @Override
    public CompletableFuture<Result> submit(Command command) {
        if (command.getSerializedSize() > RatisSettings.COMMAND_BYTES_MAX) {
            return CompletableFuture.failedFuture(
                    new IllegalArgumentException(
                            "this is too long to be recorded by PD: "
                                    + command.getSerializedSize()
                                    + " bytes"));
        }
        Message message = Message.valueOf(UnsafeByteOperations.unsafeWrap(command.toByteArray()));
        return call(message, RaftClientRequest.writeRequestType()).thenApply(RatisStateLog::result);
    }

    /**
     * Sends a command to whichever node leads. One attempt; for the rare case in which a node that
     * does not lead has something to say.
     */
    public CompletableFuture<Result> forward(Command command) {
        RaftClient client =
                RaftClient.newBuilder()
                        .setProperties(server.getProperties())
                        .setRaftGroup(group(options))
                        .setRetryPolicy(RetryPolicies.noRetry())
                        .setLeaderId(info.getLeaderId())
                        .build();
        return client.async()
                .send(message(command))
                .orTimeout(SUBMIT_SECONDS, TimeUnit.SECONDS)
                .thenApply(this::successful)
                .thenApply(RatisStateLog::result)
                .whenComplete((result, failure) -> close(client));
    }

    private static void close(RaftClient client) {
        try {
            client.close();
        } catch (IOException e) {
            log.debug("a client of PD's own log did not close", e);
        }
    }

    private static Message message(Command command) {
        return Message.valueOf(UnsafeByteOperations.unsafeWrap(command.toByteArray()));
    }

    @Override
    public CompletableFuture<Void> confirmLeadership() {
        if (options.alone() && info.isLeaderReady()) {
            return CompletableFuture.completedFuture(null);
        }
        return call(Message.EMPTY, RaftClientRequest.readRequestType()).thenApply(reply -> null);
    }

    @Override
    public <T> T read(Function<PdState, T> reader) {
        return machine.read(reader);
    }

    @Override
    public Leadership leadership() {
        RaftPeerId leader = info.getLeaderId();
        return new Leadership(
                info.isLeaderReady(),
                info.getCurrentTerm(),
                leader == null ? "" : leader.toString());
    }

    @Override
    public void onLeadershipChange(Runnable listener) {
        listeners.add(listener);
    }

    @Override
    public void close() {
        try {
            server.close();
        } catch (IOException e) {
            log.warn("PD's log did not close cleanly; it recovers at the next start", e);
        }
        completions.shutdown();
    }

    private void leadershipChanged() {
        listeners.forEach(Runnable::run);
    }

    private CompletableFuture<RaftClientReply> call(Message message, RaftClientRequest.Type type) {
        if (!info.isLeaderReady()) {
            return CompletableFuture.failedFuture(notLeader());
        }
        RaftClientRequest request =
                RaftClientRequest.newBuilder()
                        .setClientId(clientId)
                        .setServerId(server.getId())
                        .setGroupId(GROUP)
                        .setCallId(nextCall.getAndIncrement())
                        .setMessage(message)
                        .setType(type)
                        .build();
        CompletableFuture<RaftClientReply> reply;
        try {
            reply = server.submitClientRequestAsync(request);
        } catch (IOException | RuntimeException e) {
            // A server that closes throws what it likes; a caller always gets a future.
            return CompletableFuture.failedFuture(e);
        }
        return reply.orTimeout(SUBMIT_SECONDS, TimeUnit.SECONDS)
                .thenApplyAsync(this::successful, completions);
    }

    private RaftClientReply successful(RaftClientReply reply) {
        if (reply.isSuccess()) {
            return reply;
        }
        if (reply.getStateMachineException() != null) {
            throw new IllegalStateException(reply.getStateMachineException());
        }
        // All that is left means that this node does not lead, or may no longer do so.
        log.debug("PD's log refused a call: {}", reply.getException());
        throw notLeader();
    }

    private NotLeaderException notLeader() {
        return new NotLeaderException(info.isLeaderReady() ? "" : leadership().leader());
    }

    private static Result result(RaftClientReply reply) {
        try {
            return Result.parseFrom(reply.getMessage().getContent().asReadOnlyByteBuffer());
        } catch (com.google.protobuf.InvalidProtocolBufferException e) {
            throw new UncheckedIOException(e);
        }
    }
}
