package io.tidekv.pd.routing;

import io.tidekv.pd.log.Leadership;
import io.tidekv.pd.log.StateLog;
import io.tidekv.proto.pdstate.Member;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The PD nodes as clients know them. */
public final class Members {
    /** What clients are told of PD's and the stores' version: they open features by it. */
    public static final String VERSION = "8.5.5";

    private final StateLog log;
    private volatile Member self;

    public Members(StateLog log, String name, String peerUrl) {
        this.log = log;
        this.self =
                Member.newBuilder()
                        .setName(name)
                        .setMemberId(id(name))
                        .addPeerUrls(peerUrl)
                        .build();
    }

    /** This node listens: from now on it can say where clients reach it. */
    public void listening(List<String> clientUrls) {
        self = self.toBuilder().clearClientUrls().addAllClientUrls(clientUrls).build();
    }

    /** This node. */
    public Member self() {
        return self;
    }

    /** All nodes that have announced themselves, by name. */
    public List<Member> all() {
        return log.read(s -> List.copyOf(s.members()));
    }

    /** The leading node, or null when there is none or it is not known yet. */
    public @Nullable Member leader() {
        String name = leaderName();
        for (Member member : all()) {
            if (member.getName().equals(name)) {
                return member;
            }
        }
        return null;
    }

    /** Empty when no leader is known. */
    public String leaderName() {
        Leadership leadership = log.leadership();
        return leadership.leading() ? self.getName() : leadership.leader();
    }

    /** Positive; the same for a name for ever (FNV-1a). */
    private static long id(String name) {
        long hash = 0xcbf29ce484222325L;
        for (byte b : name.getBytes(StandardCharsets.UTF_8)) {
            hash = (hash ^ (b & 0xff)) * 0x100000001b3L;
        }
        long positive = hash & Long.MAX_VALUE;
        return positive == 0 ? 1 : positive;
    }
}
