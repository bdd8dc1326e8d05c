package io.tidekv.pd.http;

import io.tidekv.common.http.HttpAnswer;
import io.tidekv.pd.core.PdState;
import io.tidekv.pd.log.NotLeaderException;
import io.tidekv.pd.log.StateLog;
import io.tidekv.pd.routing.Members;
import io.tidekv.proto.pdstate.Member;
import java.util.List;
import java.util.Map;

/** The PD nodes and the cluster as a whole; answered by every node. */
final class MemberPages {
    private final StateLog log;
    private final Members members;
    private final long startedSeconds;

    MemberPages(StateLog log, Members members, long startedSeconds) {
        this.log = log;
        this.members = members;
        this.startedSeconds = startedSeconds;
    }

    void addTo(Router router) {
        router.get("/pd/api/v1/ping", ask -> HttpAnswer.text(""))
                .get("/pd/api/v1/health", ask -> HttpAnswer.json(health()))
                .get("/pd/api/v1/members", ask -> HttpAnswer.json(all()))
                .get("/pd/api/v1/leader", ask -> HttpAnswer.json(member(leader())))
                .get("/pd/api/v1/version", ask -> HttpAnswer.json(version()))
                .get("/pd/api/v1/status", ask -> HttpAnswer.json(status()))
                .get("/pd/api/v2/ready", ask -> ready())
                .get("/pd/api/v1/replication_mode/status", ask -> HttpAnswer.json(replication()))
                .get("/pd/api/v1/cluster", ask -> HttpAnswer.json(cluster()))
                .get("/pd/api/v1/cluster/status", ask -> HttpAnswer.json(clusterStatus()))
                .get("/pd/api/v1/config/cluster-version", ask -> HttpAnswer.json(Members.VERSION))
                .get(
                        "/health",
                        ask -> HttpAnswer.json(Json.object("health", "true", "reason", "")));
    }

    private HttpAnswer ready() {
        leader();
        return HttpAnswer.text("ready");
    }

    /** One kind of replication only: a majority of the voters. */
    private static Map<String, Object> replication() {
        return Json.object(
                "mode",
                "majority",
                "dr-auto-sync",
                Json.object("label_key", "", "state", "", "acid_consistent", false));
    }

    private List<?> health() {
        return members.all().stream()
                .map(
                        m ->
                                Json.object(
                                        "name", m.getName(),
                                        "member_id", m.getMemberId(),
                                        "client_urls", m.getClientUrlsList(),
                                        "health", true))
                .toList();
    }

    private Map<String, Object> all() {
        Map<String, Object> leader = member(leader());
        return Json.object(
                "header",
                Json.object("cluster_id", log.read(PdState::clusterId)),
                "members",
                members.all().stream().map(MemberPages::member).toList(),
                "leader",
                leader,
                "etcd_leader",
                leader);
    }

    private Member leader() {
        Member leader = members.leader();
        if (leader == null) {
            throw new NotLeaderException("");
        }
        return leader;
    }

    private static Map<String, Object> member(Member member) {
        return Json.object(
                "name", member.getName(),
                "member_id", member.getMemberId(),
                "peer_urls", member.getPeerUrlsList(),
                "client_urls", member.getClientUrlsList(),
                "deploy_path", "",
                "binary_version", "v" + Members.VERSION,
                "git_hash", "tidekv");
    }

    private static Map<String, Object> version() {
        return Json.object(
                "branch", "tidekv",
                "build_time", "",
                "hash", "tidekv",
                "version", "v" + Members.VERSION);
    }

    private Map<String, Object> status() {
        return Json.object(
                "build_ts", "",
                "version", "v" + Members.VERSION,
                "git_hash", "tidekv",
                "start_timestamp", startedSeconds,
                "kernel_type", "Classic");
    }

    private Map<String, Object> cluster() {
        return Json.object("id", log.read(PdState::clusterId), "max_peer_count", 1);
    }

    private Map<String, Object> clusterStatus() {
        return log.read(
                state ->
                        Json.object(
                                "raft_bootstrap_time",
                                Json.time(state.createdAtMillis()),
                                "is_initialized",
                                !state.regions().isEmpty(),
                                "replication_status",
                                ""));
    }
}
