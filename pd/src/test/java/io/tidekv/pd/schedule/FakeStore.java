package io.tidekv.pd.schedule;

import io.tidekv.proto.cluster.Assign;
import io.tidekv.proto.cluster.ChangeVoters;
import io.tidekv.proto.cluster.MoveStep;
import io.tidekv.proto.cluster.RegionReport;
import io.tidekv.proto.cluster.RegionState;
import io.tidekv.proto.cluster.StandbyReport;
import io.tidekv.proto.cluster.StoreCommand;
import io.tidekv.proto.cluster.StoreReport;
import io.tidekv.proto.region.Owner;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** A store process that obeys, unless told otherwise. It reports only when told to. */
final class FakeStore implements StoreSink {
    final Owner owner;
    final List<StoreCommand> got = new ArrayList<>();
    final Map<Long, RegionReport> regions = new LinkedHashMap<>();
    boolean follows = true;
    final Map<Long, StandbyReport> standbys = new LinkedHashMap<>();
    RegionState opensAs = RegionState.LEADING;
    boolean obeys = true;
    boolean leaving;
    boolean ended;
    boolean toldNotLeader;
    private final Coordinator coordinator;
    private long seq;

    FakeStore(Owner owner, Coordinator coordinator) {
        this.owner = owner;
        this.coordinator = coordinator;
    }

    void report() {
        coordinator.report(
                heartbeat()
                        .setFull(true)
                        .addAllRegions(List.copyOf(regions.values()))
                        .setStandbysListed(true)
                        .addAllStandbys(List.copyOf(standbys.values()))
                        .build(),
                this,
                () -> {});
    }

    /** A report that nothing has changed. */
    void nothingNew() {
        coordinator.report(heartbeat().build(), this, () -> {});
    }

    private StoreReport.Builder heartbeat() {
        return StoreReport.newBuilder().setOwner(owner).setSeq(++seq).setLeaving(leaving);
    }

    @Override
    public void send(StoreCommand command) {
        got.add(command);
        if (!obeys) {
            return;
        }
        switch (command.getBodyCase()) {
            case ASSIGN -> open(command.getAssign());
            case REVOKE -> regions.remove(command.getRevoke().getRegionId());
            case MOVE -> {
                if (command.getMove().getStep() != MoveStep.MOVE_PREPARE) {
                    set(command.getMove().getRegionId(), RegionState.RELEASED);
                }
            }
            case FOLLOW -> follow(command.getFollow().getShape().getRegionId());
            case UNFOLLOW -> standbys.remove(command.getUnfollow().getRegionId());
            case CHANGE_VOTERS -> change(command.getChangeVoters());
            default -> {}
        }
    }

    void set(long regionId, RegionState state) {
        regions.computeIfPresent(regionId, (id, r) -> r.toBuilder().setState(state).build());
    }

    private void follow(long regionId) {
        if (!follows) {
            return;
        }
        standbys.put(
                regionId,
                StandbyReport.newBuilder()
                        .setRegionId(regionId)
                        .setReady(true)
                        .setHydrated(true)
                        .build());
    }

    private void change(ChangeVoters order) {
        regions.computeIfPresent(
                order.getRegionId(), (id, r) -> r.toBuilder().setConfig(order.getTarget()).build());
    }

    private void open(Assign assign) {
        standbys.remove(assign.getShape().getRegionId());
        regions.put(
                assign.getShape().getRegionId(),
                RegionReport.newBuilder()
                        .setShape(assign.getShape())
                        .setTerm(assign.getTerm())
                        .setConfig(assign.getConfig())
                        .setState(opensAs)
                        .build());
    }

    @Override
    public void end() {
        ended = true;
    }

    @Override
    public void notLeader() {
        toldNotLeader = true;
    }

    List<Assign> assigned() {
        return got.stream().filter(StoreCommand::hasAssign).map(StoreCommand::getAssign).toList();
    }

    List<ChangeVoters> voterOrders() {
        return got.stream()
                .filter(StoreCommand::hasChangeVoters)
                .map(StoreCommand::getChangeVoters)
                .toList();
    }

    boolean got(StoreCommand.BodyCase kind) {
        return got.stream().anyMatch(c -> c.getBodyCase() == kind);
    }
}
