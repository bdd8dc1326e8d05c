package io.tidekv.pd.schedule;

import io.tidekv.pd.schedule.LiveView.WalStatus;
import io.tidekv.proto.cluster.NodeMode;
import io.tidekv.proto.cluster.RegionReport;
import io.tidekv.proto.cluster.RegionState;
import io.tidekv.proto.cluster.VoterChangeState;
import io.tidekv.proto.pdstate.RegionEntry;
import io.tidekv.proto.pdstate.WalEntry;
import io.tidekv.proto.region.VoterConfig;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Brings every region to the voters that it should have, one node at a time: away from nodes that
 * drain or have been silent for too long, then evened out over all. Level-triggered: what is to be
 * done follows from the configs that are durable in PD and from what the leaders report, so another
 * PD goes on where this one ended.
 */
final class VoterChanges {
    private static final long PLAN_NANOS = 500_000_000L;
    private static final long IDLE_PLAN_NANOS = 10_000_000_000L;
    private static final long COOL_DOWN_NANOS = 5_000_000_000L;

    private final Sessions sessions;
    private final Operators operators;
    private final WalWatch walWatch;
    private final ScheduleConfig config;
    private final Map<Long, VoterChange> running = new LinkedHashMap<>();
    private final Map<Long, Long> coolUntilNanos = new HashMap<>();
    private final Map<Long, String> problems = new HashMap<>();
    private final Set<Long> sought = new HashSet<>();
    private long plannedAtNanos;
    private long plannedAtChange = -1;
    private Set<Long> plannedUp = Set.of();
    private Set<Long> plannedUnwanted = Set.of();

    VoterChanges(Sessions sessions, Operators operators, WalWatch walWatch, ScheduleConfig config) {
        this.sessions = sessions;
        this.operators = operators;
        this.walWatch = walWatch;
        this.config = config;
    }

    /** Voters for {@code count} new regions, as the nodes are now; empty when there are too few. */
    List<List<Long>> fresh(ClusterView view, int count, long nowNanos) {
        VoterRules rules = rules(view, nowNanos);
        List<List<Long>> sets = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            List<Long> voters = rules.fresh(view.settings().getVoters());
            if (voters.size() < view.settings().getVoters()) {
                return List.of();
            }
            sets.add(voters);
        }
        return sets;
    }

    /** Sends what has to be sent; from time to time, looks for more to do. */
    void step(ClusterView view, long nowNanos) {
        boolean ended = false;
        for (VoterChange change : List.copyOf(running.values())) {
            ended |= ended(view, change, nowNanos);
        }
        boolean news = ended || !running.isEmpty() || !problems.isEmpty() || !sought.isEmpty();
        long pause = news || changed(view, nowNanos) ? PLAN_NANOS : IDLE_PLAN_NANOS;
        if (ended || nowNanos - plannedAtNanos >= pause) {
            plan(view, nowNanos);
        }
    }

    /** True when regions or nodes are not as they were at the last plan. */
    private boolean changed(ClusterView view, long nowNanos) {
        return view.regionChange() != plannedAtChange
                || !walWatch.up(nowNanos).equals(plannedUp)
                || !unwanted(view, nowNanos).equals(plannedUnwanted);
    }

    private Set<Long> unwanted(ClusterView view, long nowNanos) {
        return walWatch.unwanted(view, config.walReplaceAfter().toNanos(), nowNanos);
    }

    /** Looks for work in all regions. */
    void plan(ClusterView view, long nowNanos) {
        plannedAtNanos = nowNanos;
        plannedAtChange = view.regionChange();
        plannedUp = walWatch.up(nowNanos);
        plannedUnwanted = unwanted(view, nowNanos);
        problems.clear();
        sought.clear();
        coolUntilNanos.values().removeIf(until -> nowNanos - until >= 0);
        VoterRules rules = rules(view, nowNanos);
        List<RegionEntry> sound = new ArrayList<>();
        for (RegionEntry region : view.regions().values()) {
            long id = region.getShape().getRegionId();
            adopt(region);
            if (!running.containsKey(id) && isSound(region, view, rules)) {
                sound.add(region);
            } else if (!running.containsKey(id)) {
                mend(region, view, rules, nowNanos);
            }
        }
        if (config.balance()) {
            even(sound, rules, nowNanos);
        }
        for (VoterChange change : running.values()) {
            send(view, change, nowNanos);
        }
    }

    private VoterRules rules(ClusterView view, long nowNanos) {
        VoterRules rules = new VoterRules(view, walWatch.up(nowNanos), unwanted(view, nowNanos));
        for (VoterChange change : running.values()) {
            RegionEntry region = view.region(change.regionId);
            if (region != null) {
                count(change, region, rules);
            }
        }
        return rules;
    }

    /** Counts a change as if it were done, and the removal that follows an addition. */
    private static void count(VoterChange change, RegionEntry region, VoterRules rules) {
        long removed = change.removed(region);
        long added = change.added(region);
        if (added != 0) {
            rules.count(added, 1);
            removed = rules.toRemove(change.target().getWalIdsList());
        }
        if (removed != 0) {
            rules.count(removed, -1);
        }
    }

    private static boolean isSound(RegionEntry region, ClusterView view, VoterRules rules) {
        List<Long> voters = region.getConfig().getWalIdsList();
        return voters.size() == view.settings().getVoters()
                && voters.stream().noneMatch(rules::unwanted);
    }

    /** Takes over what another PD has begun, as the region's leader tells it. */
    private void adopt(RegionEntry region) {
        StoreSession leader = sessions.ownerOf(region);
        RegionReport report = leader == null ? null : leader.report(region);
        if (report == null || !report.hasVoterChange()) {
            return;
        }
        VoterConfig target = report.getVoterChange().getTarget();
        boolean next = target.getGeneration() == region.getConfig().getGeneration() + 1;
        if (next && report.getVoterChange().getState() != VoterChangeState.REFUSED) {
            long id = region.getShape().getRegionId();
            running.computeIfAbsent(id, i -> new VoterChange(i, target));
        }
    }

    /** Begins the next step of a region that has a wrong voter, one too many or one too few. */
    private void mend(RegionEntry region, ClusterView view, VoterRules rules, long nowNanos) {
        VoterConfig next = next(region, view, rules);
        String obstacle =
                next == null
                        ? "no other WAL node is up and in service"
                        : obstacle(region, nowNanos);
        if (next != null && obstacle.isEmpty()) {
            begin(region, next, rules);
            return;
        }
        if (next != null && running.size() >= config.voterChangesAtOnce()) {
            return;
        }
        for (long id : region.getConfig().getWalIdsList()) {
            if (rules.unwanted(id)) {
                problems.putIfAbsent(
                        id, "region " + region.getShape().getRegionId() + ": " + obstacle);
            }
        }
    }

    private static @Nullable VoterConfig next(
            RegionEntry region, ClusterView view, VoterRules rules) {
        List<Long> voters = region.getConfig().getWalIdsList();
        if (voters.size() > view.settings().getVoters()) {
            return without(region, rules.toRemove(voters));
        }
        List<Long> staying = voters.stream().filter(v -> !rules.unwanted(v)).toList();
        long preferred = 0;
        for (long id : voters) {
            WalEntry node = view.walNode(id);
            if (node != null && node.getMode() == NodeMode.DRAINING) {
                preferred = preferred == 0 ? node.getReplacement() : preferred;
            }
        }
        long add = rules.toAdd(voters, staying, preferred);
        return add == 0 ? null : with(region, add);
    }

    /** Moves voters from the most to the least loaded nodes while they differ by too much. */
    private void even(List<RegionEntry> sound, VoterRules rules, long nowNanos) {
        int most = rules.takers().stream().mapToInt(rules::load).max().orElse(0);
        for (long to : rules.takers()) {
            if (most - rules.load(to) <= config.balanceTolerance()) {
                return;
            }
            for (RegionEntry region : sound) {
                if (!wouldEven(region, to, rules)) {
                    continue;
                }
                sought.add(to);
                if (running.size() >= config.voterChangesAtOnce()) {
                    return;
                }
                if (obstacle(region, nowNanos).isEmpty()) {
                    begin(region, with(region, to), rules);
                }
            }
        }
    }

    private boolean wouldEven(RegionEntry region, long to, VoterRules rules) {
        List<Long> voters = region.getConfig().getWalIdsList();
        return !voters.contains(to)
                && !running.containsKey(region.getShape().getRegionId())
                && rules.allUp(voters)
                && voters.stream().anyMatch(from -> wouldEven(voters, from, to, rules));
    }

    private boolean wouldEven(List<Long> voters, long from, long to, VoterRules rules) {
        int tolerance = Math.max(config.balanceTolerance(), rules.load(from) / 20);
        return rules.load(from) - rules.load(to) > tolerance && rules.zonesAllow(voters, from, to);
    }

    /** Why nothing can be begun with the region now; empty when something can. */
    private String obstacle(RegionEntry region, long nowNanos) {
        long id = region.getShape().getRegionId();
        StoreSession leader = sessions.ownerOf(region);
        RegionReport report = leader == null ? null : leader.report(region);
        if (running.size() >= config.voterChangesAtOnce()) {
            return "waits for others";
        } else if (coolUntilNanos.containsKey(id)) {
            return "its leader has refused";
        } else if (leader == null
                || report == null
                || report.getState() != RegionState.LEADING
                || !sessions.alive(leader, nowNanos)) {
            return "it is not served at present";
        } else if (operators.busy(id)) {
            return "it is being moved or split";
        }
        return "";
    }

    private void begin(RegionEntry region, VoterConfig target, VoterRules rules) {
        long id = region.getShape().getRegionId();
        VoterChange change = new VoterChange(id, target);
        count(change, region, rules);
        running.put(id, change);
    }

    /** Goes on with a change; true when it is over. */
    private boolean ended(ClusterView view, VoterChange change, long nowNanos) {
        RegionEntry region = view.region(change.regionId);
        if (region == null
                || region.getConfig().getGeneration() >= change.target().getGeneration()) {
            running.remove(change.regionId);
            return true;
        }
        StoreSession leader = sessions.ownerOf(region);
        RegionReport report = leader == null ? null : leader.report(region);
        String refusal = change.refusal(report);
        if (refusal != null) {
            running.remove(change.regionId);
            coolUntilNanos.put(change.regionId, nowNanos + COOL_DOWN_NANOS);
            return true;
        }
        long added = change.added(region);
        if (added != 0 && !change.decided(report)) {
            VoterRules rules = rules(view, nowNanos);
            if (!rules.takes(added)) {
                VoterConfig other = next(region, view, rules);
                change.instead(other == null ? region.getConfig() : other, region);
            }
        }
        send(view, change, nowNanos);
        return false;
    }

    private void send(ClusterView view, VoterChange change, long nowNanos) {
        RegionEntry region = view.region(change.regionId);
        StoreSession leader = region == null ? null : sessions.ownerOf(region);
        if (region != null && leader != null) {
            change.send(region, leader, nowNanos);
        }
    }

    private static VoterConfig with(RegionEntry region, long walId) {
        return region.getConfig().toBuilder()
                .setGeneration(region.getConfig().getGeneration() + 1)
                .addWalIds(walId)
                .build();
    }

    private static VoterConfig without(RegionEntry region, long walId) {
        List<Long> rest = new ArrayList<>(region.getConfig().getWalIdsList());
        rest.remove(walId);
        return VoterConfig.newBuilder()
                .setGeneration(region.getConfig().getGeneration() + 1)
                .addAllWalIds(rest)
                .build();
    }

    /** What people are shown of each node. */
    Map<Long, WalStatus> statuses(ClusterView view, long nowNanos) {
        Set<Long> up = walWatch.up(nowNanos);
        Map<Long, Integer> changes = new HashMap<>();
        for (VoterChange change : running.values()) {
            RegionEntry region = view.region(change.regionId);
            if (region != null) {
                changes.merge(change.added(region), 1, Integer::sum);
                changes.merge(change.removed(region), 1, Integer::sum);
            }
        }
        Map<Long, WalStatus> statuses = new HashMap<>();
        for (WalEntry node : view.walNodes()) {
            long id = node.getWalId();
            statuses.put(
                    id,
                    new WalStatus(
                            up.contains(id),
                            changes.getOrDefault(id, 0) + (sought.contains(id) ? 1 : 0),
                            problems.getOrDefault(id, "")));
        }
        return Collections.unmodifiableMap(statuses);
    }
}
