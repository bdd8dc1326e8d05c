package io.tidekv.wal.core;

import io.tidekv.proto.region.Entry;
import io.tidekv.proto.region.EntryKind;
import io.tidekv.proto.region.Origin;
import io.tidekv.proto.region.Owner;
import io.tidekv.proto.wal.AppendRequest;
import io.tidekv.proto.wal.CreateRequest;
import org.jspecify.annotations.Nullable;

/** What makes a request senseless whatever the voter's state. Each check returns why, or null. */
final class Checks {
    private Checks() {}

    static @Nullable String create(CreateRequest request) {
        String flaw = Configs.flaw(request.getConfig());
        if (flaw != null) {
            return flaw;
        }
        Origin origin = request.getOrigin();
        return switch (origin.getKindCase()) {
            case BOOTSTRAP -> null;
            case SPLIT ->
                    origin.getSplit().hasFirstRecord()
                            ? null
                            : "the origin of a split must name the first record";
            case RESTORE ->
                    origin.getRestore().hasFirstRecord()
                            ? null
                            : "the origin of a restored region must name its record";
            case KIND_NOT_SET -> "the origin is missing";
        };
    }

    static @Nullable String owned(Owner sender, Owner owner, long term) {
        if (!owner.equals(sender)) {
            return "the owner is not the one that opened the connection";
        }
        if (owner.getStoreId() == 0 || owner.getIncarnation() == 0) {
            return "the owner has no id";
        }
        return term > 0 ? null : "the term must be positive";
    }

    static @Nullable String lease(long leaseMs) {
        return leaseMs >= 0 && leaseMs <= Leases.LEASE_MS_MAX
                ? null
                : "the lease must lie in [0, " + Leases.LEASE_MS_MAX + "] ms";
    }

    static @Nullable String append(AppendRequest request) {
        if (request.getPrevIndex() < 0 || request.getCommitIndex() < 0) {
            return "an index is negative";
        }
        long index = request.getPrevIndex();
        long term = request.getPrevTerm();
        for (int i = 0; i < request.getEntriesCount(); i++) {
            Entry entry = request.getEntries(i);
            index++;
            if (entry.getIndex() != index) {
                return "entry " + entry.getIndex() + " stands where " + index + " belongs";
            }
            if (entry.getTerm() < term || entry.getTerm() <= 0) {
                return "the terms of the entries do not ascend at " + index;
            }
            if (entry.getKindValue() == EntryKind.ENTRY_KIND_UNSPECIFIED_VALUE) {
                return "entry " + index + " has no kind";
            }
            String flaw = entry.getKind() == EntryKind.CONFIG ? Configs.flaw(entry) : null;
            if (flaw != null) {
                return flaw;
            }
            term = entry.getTerm();
        }
        if (term > request.getTerm()) {
            return "an entry has a higher term than its leader";
        }
        return reset(request);
    }

    private static @Nullable String reset(AppendRequest request) {
        if (!request.getResetToSnapshot()) {
            return null;
        }
        return request.hasSnapshot()
                        && request.getSnapshot().getIndex() == request.getPrevIndex()
                        && request.getSnapshot().getTerm() == request.getPrevTerm()
                ? null
                : "a reset must follow its snapshot";
    }
}
