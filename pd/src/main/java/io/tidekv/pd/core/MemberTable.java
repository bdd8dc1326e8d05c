package io.tidekv.pd.core;

import io.tidekv.proto.pdstate.FailureKind;
import io.tidekv.proto.pdstate.Member;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import java.util.TreeMap;

/** PD nodes by name, as each has announced itself. */
final class MemberTable {
    private final TreeMap<String, Member> byName = new TreeMap<>();

    MemberTable(List<Member> members) {
        members.forEach(m -> byName.put(m.getName(), m));
    }

    void publish(Member member) {
        if (member.getName().isEmpty()
                || member.getMemberId() == 0
                || member.getClientUrlsCount() == 0) {
            throw new CommandRefused(
                    FailureKind.INVALID, "a PD member must say its name, id and client URLs");
        }
        byName.put(member.getName(), member);
    }

    Collection<Member> all() {
        return Collections.unmodifiableCollection(byName.values());
    }
}
