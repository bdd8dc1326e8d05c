package io.tidekv.wal.core;

import io.tidekv.common.time.Clock;
import io.tidekv.proto.region.Owner;
import io.tidekv.proto.region.Snapshot;
import io.tidekv.proto.wal.AppendRequest;
import io.tidekv.proto.wal.CreateRequest;
import io.tidekv.proto.wal.CreateResponse;
import io.tidekv.proto.wal.PendingTerm;
import io.tidekv.proto.wal.RenewRequest;
import io.tidekv.proto.wal.RenewResponse;
import io.tidekv.proto.wal.RetireRequest;
import io.tidekv.proto.wal.RetireResponse;
import io.tidekv.proto.wal.VoterMeta;
import io.tidekv.proto.wal.WalErrorCode;
import io.tidekv.proto.wal.WalRequest;
import io.tidekv.proto.wal.WalResponse;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * All voters of a WAL node with the sessions of the owners. Pure and single-threaded: the caller
 * passes requests in the order of arrival, syncs the storage once for all it has handled, and then
 * sends the responses. Responses of requests that appended nothing (Renew, Read, refusals) may
 * leave as soon as what was appended before them is durable.
 */
public final class VoterNode {
    /** Publications that one renewal asks for at most. */
    private static final int ASKED_MAX = 64;

    private final VoterStorage storage;
    private final VoterRules rules;
    private final SessionTable sessions;
    private final Map<Long, Voter> voters = new HashMap<>();
    // Their owners are to be asked, once, to publish them.
    private final TreeSet<Long> wanted = new TreeSet<>();
    private boolean failed;

    /**
     * Recovers the voters from {@code storage}. A region that was not released refuses other owners
     * for the longest lease it ever promised, counted from {@code now}.
     *
     * @param firstSession random: a session of an earlier start must never be named again
     */
    public VoterNode(VoterStorage storage, VoterRules rules, long firstSession, Clock.Reading now) {
        this.storage = storage;
        this.rules = rules;
        this.sessions = new SessionTable(rules, firstSession);
        for (VoterStorage.Recovered region : storage.recover()) {
            voters.put(
                    region.regionId(),
                    Voter.recovered(region, storage, rules, sessions, now.monotonicNanos()));
        }
    }

    /**
     * Handles one request and returns its one response. Bad input gives an error response; nothing
     * is thrown but {@link io.tidekv.common.InvariantViolation}, after which this node must not be
     * used any more.
     *
     * @param sender the owner that said Hello on the connection
     */
    public WalResponse handle(Owner sender, WalRequest request, Clock.Reading now) {
        WalResponse.Builder response;
        try {
            response =
                    failed
                            ? Replies.error(
                                    WalErrorCode.STORAGE_FAILED,
                                    "the node's storage failed; it is being recovered")
                            : dispatch(sender, request, now.monotonicNanos());
        } catch (VoterStorageException e) {
            failed |= e.code() == WalErrorCode.STORAGE_FAILED;
            response = Replies.error(e.code(), String.valueOf(e.getMessage()));
        }
        Voter voter = voters.get(request.getRegionId());
        if (voter != null && sender.equals(voter.meta().getOwner())) {
            response.setPendingTerm(voter.meta().getPendingTerm());
        }
        return response.setSeq(request.getSeq()).setRegionId(request.getRegionId()).build();
    }

    private WalResponse.Builder dispatch(Owner sender, WalRequest request, long nowNanos) {
        boolean renew = request.hasRenew();
        if (renew != (request.getRegionId() == 0)) {
            return Replies.invalid(
                    renew ? "a Renew is for no region" : "the region id must not be 0");
        }
        if (renew) {
            return renew(sender, request.getRenew(), nowNanos);
        }
        if (request.hasCreate()) {
            return create(request.getRegionId(), request.getCreate(), nowNanos);
        }
        Voter voter = voters.get(request.getRegionId());
        if (voter == null) {
            // Whoever never was a voter has nothing to forget.
            return request.hasRetire()
                    ? WalResponse.newBuilder().setRetire(RetireResponse.getDefaultInstance())
                    : Replies.error(
                            WalErrorCode.UNKNOWN_REGION, "no Create has reached this voter");
        }
        if (voter.retired() && !request.hasRetire()) {
            return Replies.error(WalErrorCode.RETIRED, "a committed config left this node out");
        }
        String senseless = check(sender, request);
        if (senseless != null) {
            return Replies.invalid(senseless);
        }
        return switch (request.getBodyCase()) {
            case OPEN -> voter.open(request.getOpen(), nowNanos);
            case APPEND ->
                    new Appender(request.getRegionId(), storage, rules)
                            .append(voter, request.getAppend(), nowNanos);
            case READ -> voter.read(request.getRead());
            case RELEASE -> voter.release(request.getRelease(), nowNanos);
            case RETIRE -> voter.retire(request.getRetire(), nowNanos);
            case CREATE, RENEW, BODY_NOT_SET -> Replies.invalid("the request has no body");
        };
    }

    private static @Nullable String check(Owner sender, WalRequest request) {
        return switch (request.getBodyCase()) {
            case OPEN -> {
                String owned =
                        Checks.owned(
                                sender, request.getOpen().getOwner(), request.getOpen().getTerm());
                yield owned != null ? owned : Checks.lease(request.getOpen().getLeaseMs());
            }
            case APPEND -> {
                AppendRequest append = request.getAppend();
                String owned = Checks.owned(sender, append.getOwner(), append.getTerm());
                String lease = owned != null ? owned : Checks.lease(append.getLeaseMs());
                yield lease != null ? lease : Checks.append(append);
            }
            case RELEASE ->
                    Checks.owned(
                            sender,
                            request.getRelease().getOwner(),
                            request.getRelease().getTerm());
            case READ -> request.getRead().getFromIndex() < 0 ? "from_index is negative" : null;
            case RETIRE -> {
                RetireRequest retire = request.getRetire();
                String owned = Checks.owned(sender, retire.getOwner(), retire.getTerm());
                yield owned == null && retire.getGeneration() <= 0
                        ? "the generation must be positive"
                        : owned;
            }
            case CREATE, RENEW, BODY_NOT_SET -> null;
        };
    }

    private WalResponse.Builder create(long regionId, CreateRequest request, long nowNanos) {
        String senseless = Checks.create(request);
        if (senseless != null) {
            return Replies.invalid(senseless);
        }
        Voter known = voters.get(regionId);
        // A node whose log was damaged may have forgotten where a region came from.
        if (known != null
                && known.meta().hasOrigin()
                && !known.meta().getOrigin().equals(request.getOrigin())) {
            return Replies.invalid("the region exists with another origin");
        }
        VoterMeta meta = null;
        if (known == null) {
            meta = first(request, regionId < storage.forgottenBelow());
        } else if (known.retired()) {
            if (!request.getLearner()) {
                return Replies.error(WalErrorCode.RETIRED, "a committed config left this node out");
            }
            meta = anew(known.meta(), request);
        } else {
            known.createdAgain(request);
        }
        if (meta != null) {
            storage.putMeta(regionId, meta);
            voters.put(regionId, Voter.created(regionId, storage, rules, sessions, meta, nowNanos));
        }
        return WalResponse.newBuilder().setCreate(CreateResponse.getDefaultInstance());
    }

    private static VoterMeta first(CreateRequest request, boolean forgotten) {
        Snapshot.Builder snapshot = Snapshot.newBuilder();
        if (request.getOrigin().hasSplit()) {
            snapshot.setRecord(request.getOrigin().getSplit().getFirstRecord());
        } else if (request.getOrigin().hasRestore()) {
            snapshot.setRecord(request.getOrigin().getRestore().getFirstRecord());
        }
        return VoterMeta.newBuilder()
                .setConfig(request.getConfig())
                .setOrigin(request.getOrigin())
                .setSnapshot(snapshot)
                .setLearner(request.getLearner() || forgotten)
                .setCreatedTerm(request.getLearner() ? request.getTerm() : 0)
                .setCreatedOrder(request.getLearner() ? request.getOrder() : 0)
                .build();
    }

    /** Its snapshot and its term are true for ever, so a node that comes back goes on from them. */
    private static VoterMeta anew(VoterMeta retired, CreateRequest request) {
        VoterMeta learner =
                retired.toBuilder()
                        .clearRetiredGeneration()
                        .setLearner(true)
                        .setOrigin(request.getOrigin())
                        .build();
        return Configs.createdBy(learner, request);
    }

    private WalResponse.Builder renew(Owner sender, RenewRequest request, long nowNanos) {
        if (!request.getOwner().equals(sender)) {
            return Replies.invalid("the owner is not the one that opened the connection");
        }
        Session session = sessions.running(request.getSession(), nowNanos);
        if (session == null) {
            return Replies.error(WalErrorCode.SESSION_LOST, "the session has lapsed");
        }
        if (!session.owner().equals(sender)) {
            return Replies.invalid("the session is another owner's");
        }
        if (request.getLeaseMs() <= 0 || request.getLeaseMs() > session.leaseMs()) {
            return Replies.invalid(
                    "the session was opened with a lease of " + session.leaseMs() + " ms");
        }
        session.extendTo(nowNanos + Leases.nanos(request.getLeaseMs()));
        RenewResponse.Builder response = RenewResponse.newBuilder().setSession(session.id());
        session.notExtended()
                .forEach(
                        (region, term) ->
                                response.addPending(
                                        PendingTerm.newBuilder()
                                                .setRegionId(region)
                                                .setTerm(term)));
        askToPublish(sender, response);
        return WalResponse.newBuilder().setRenew(response);
    }

    private void askToPublish(Owner owner, RenewResponse.Builder response) {
        for (long regionId : List.copyOf(wanted)) {
            Voter voter = voters.get(regionId);
            boolean owned = voter != null && owner.equals(voter.meta().getOwner());
            if (owned && response.getPublishRegionIdsCount() < ASKED_MAX) {
                response.addPublishRegionIds(regionId);
                wanted.remove(regionId);
            }
        }
    }

    /**
     * Regions whose old entries take up room: the next renewal of their owner's session asks for
     * them to be published, once. Replaces those that were named before.
     */
    public void wantPublished(List<Long> regionIds) {
        wanted.clear();
        wanted.addAll(regionIds);
    }

    /** Forgets lapsed sessions. Once a second is enough: nothing waits for it. */
    public void tick(Clock.Reading now) {
        sessions.expire(now.monotonicNanos());
    }

    /** The region as it is now; null when it is unknown here, or was left. */
    public @Nullable VoterView view(long regionId) {
        Voter voter = voters.get(regionId);
        return voter == null || voter.retired() ? null : voter.view();
    }

    /** What is known to be committed of each region, those that were left included. */
    public List<Committed> committed() {
        List<Committed> all = new ArrayList<>(voters.size());
        voters.values().forEach(voter -> all.add(voter.committed()));
        return all;
    }

    /** Number of regions. */
    public int regionCount() {
        return voters.size();
    }

    /** Regions that do not count here before they have caught up. */
    public int learnerCount() {
        int learners = 0;
        for (Voter voter : voters.values()) {
            learners += voter.meta().getLearner() && !voter.retired() ? 1 : 0;
        }
        return learners;
    }

    /** Number of sessions that have not been forgotten. */
    public int sessionCount() {
        return sessions.size();
    }

    /**
     * True once the storage has failed: every request is answered STORAGE_FAILED, and the caller
     * builds a new node from a fresh recovery.
     */
    public boolean failed() {
        return failed;
    }
}
