package io.tidekv.compute.pd;

import io.grpc.ManagedChannel;
import io.tidekv.common.config.HostPort;
import io.tidekv.common.grpc.GrpcTransports;
import io.tidekv.proto.pdpb.GetMembersRequest;
import io.tidekv.proto.pdpb.GetMembersResponse;
import io.tidekv.proto.pdpb.Member;
import io.tidekv.proto.pdpb.PDGrpc;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Channels to the members of PD, and which of them leads. Starts with the configured addresses and
 * learns the others from the members themselves. Thread-safe.
 */
final class PdChannels implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(PdChannels.class);
    private static final long ASK_MS = 1000;

    private final Object lock = new Object();
    private final List<String> addresses;
    private final Map<String, ManagedChannel> channels = new LinkedHashMap<>();
    private int current;
    private boolean asking;
    private boolean closed;

    PdChannels(List<String> endpoints) {
        addresses = new ArrayList<>(endpoints.stream().map(HostPort::ofUrl).toList());
        if (addresses.isEmpty()) {
            throw PdException.refused("pd.endpoints is empty: name at least one member of PD");
        }
    }

    /** The member to talk to: the leader as far as is known. */
    ManagedChannel current() {
        synchronized (lock) {
            return channel(addresses.get(current));
        }
    }

    /** For messages. */
    String currentAddress() {
        synchronized (lock) {
            return addresses.get(current);
        }
    }

    /**
     * A call on {@code failed} has not found the leader: takes the next member at once, and asks it
     * who leads. A report about a channel that is no longer the current one changes nothing.
     */
    void suspect(ManagedChannel failed) {
        ManagedChannel next;
        synchronized (lock) {
            if (closed || asking || channel(addresses.get(current)) != failed) {
                return;
            }
            current = (current + 1) % addresses.size();
            next = channel(addresses.get(current));
            asking = true;
        }
        // gRPC's own pause between attempts grows to minutes; callers here pause themselves.
        next.resetConnectBackoff();
        var answer =
                PDGrpc.newFutureStub(next)
                        .withDeadlineAfter(ASK_MS, TimeUnit.MILLISECONDS)
                        .getMembers(GetMembersRequest.getDefaultInstance());
        answer.addListener(
                () -> {
                    GetMembersResponse members = null;
                    try {
                        members = answer.get();
                    } catch (Exception e) {
                        log.debug("{} does not say who leads PD: {}", next.authority(), e);
                    }
                    learn(members);
                },
                GrpcTransports.callbacks());
    }

    private void learn(@Nullable GetMembersResponse members) {
        synchronized (lock) {
            asking = false;
            if (members == null || closed) {
                return;
            }
            for (Member member : members.getMembersList()) {
                add(member);
            }
            if (members.hasLeader() && members.getLeader().getClientUrlsCount() > 0) {
                add(members.getLeader());
                current = addresses.indexOf(HostPort.ofUrl(members.getLeader().getClientUrls(0)));
            }
        }
    }

    private void add(Member member) {
        if (member.getClientUrlsCount() > 0) {
            String address = HostPort.ofUrl(member.getClientUrls(0));
            if (!addresses.contains(address)) {
                addresses.add(address);
            }
        }
    }

    private ManagedChannel channel(String address) {
        return channels.computeIfAbsent(address, a -> GrpcTransports.channel(a).build());
    }

    @Override
    public void close() {
        synchronized (lock) {
            closed = true;
            channels.values().forEach(ManagedChannel::shutdownNow);
        }
    }
}
