package io.tidekv.sim.script;

import com.google.protobuf.InvalidProtocolBufferException;
import io.tidekv.proto.region.Entry;
import io.tidekv.proto.region.EntryKind;
import io.tidekv.proto.region.VoterConfig;
import io.tidekv.proto.wal.AppendRequest;
import io.tidekv.proto.wal.OpenResponse;
import io.tidekv.proto.wal.WalError;
import io.tidekv.proto.wal.WalErrorCode;
import io.tidekv.proto.wal.WalRequest;
import io.tidekv.proto.wal.WalResponse;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/** Messages as a reader of a script wants to see them. */
final class Telling {
    private Telling() {}

    static String request(WalRequest request) {
        return switch (request.getBodyCase()) {
            case CREATE ->
                    "create voters "
                            + config(request.getCreate().getConfig())
                            + (request.getCreate().getLearner() ? ", as learner" : "");
            case OPEN -> "open term " + request.getOpen().getTerm();
            case APPEND -> append(request.getAppend());
            case READ ->
                    "read "
                            + request.getRead().getFromIndex()
                            + ".."
                            + request.getRead().getToIndex();
            case RENEW -> "renew";
            case RELEASE -> "release term " + request.getRelease().getTerm();
            case RETIRE -> "retire, by config " + request.getRetire().getGeneration();
            case BODY_NOT_SET -> "nothing";
        };
    }

    private static String append(AppendRequest append) {
        StringBuilder line = new StringBuilder("append term " + append.getTerm());
        if (append.getResetToSnapshot()) {
            line.append(" reset to snapshot ").append(append.getSnapshot().getIndex());
        } else {
            line.append(" after ").append(place(append.getPrevIndex(), append.getPrevTerm()));
        }
        if (append.getEntriesCount() > 0) {
            line.append(" [").append(entries(append.getEntriesList())).append(']');
        }
        line.append(" commit ").append(append.getCommitIndex());
        if (append.hasSnapshot() && !append.getResetToSnapshot()) {
            line.append(" trim to ").append(append.getSnapshot().getIndex());
        }
        line.append(append.getPromote() ? " promote" : "");
        return line.append(append.getLeaseMs() == 0 ? " no lease" : "").toString();
    }

    static String response(WalResponse response) {
        String told =
                switch (response.getBodyCase()) {
                    case ERROR -> error(response.getError());
                    case CREATE -> "created";
                    case OPEN -> opened(response.getOpen());
                    case APPEND ->
                            (response.getAppend().getMatched() ? "has " : "does not match, try ")
                                    + response.getAppend().getLastIndex()
                                    + (response.getAppend().getLearner() ? ", learner" : "");
                    case READ ->
                            (response.getRead().hasSnapshot()
                                            ? "snapshot "
                                                    + response.getRead().getSnapshot().getIndex()
                                                    + " "
                                            : "")
                                    + "["
                                    + entries(response.getRead().getEntriesList())
                                    + "]";
                    case RENEW ->
                            "renewed"
                                    + (response.getRenew().getPendingCount() > 0
                                            ? ", not the region: term "
                                                    + response.getRenew().getPending(0).getTerm()
                                                    + " waits"
                                            : "");
                    case RELEASE -> "released";
                    case RETIRE -> "retired";
                    case BODY_NOT_SET -> "nothing";
                };
        long pending = response.getPendingTerm();
        return pending == 0 ? told : told + ", term " + pending + " waits";
    }

    private static String opened(OpenResponse open) {
        return "opened, ends at "
                + place(open.getLastIndex(), open.getLastTerm())
                + " commit "
                + open.getCommitIndex()
                + (open.getConfig().getGeneration() > 1
                        ? " voters " + config(open.getConfig())
                        : "")
                + (open.getLearner() ? ", learner" : "");
    }

    private static String error(WalError error) {
        String told = error.getCode().toString();
        if (error.getCode() == WalErrorCode.LEASE_HELD) {
            return told + " for " + error.getLeaseRemainingMs() + " ms";
        }
        return told + (error.getTerm() > 0 ? ", term " + error.getTerm() : "");
    }

    private static String entries(List<Entry> entries) {
        return entries.stream().map(Telling::entry).collect(Collectors.joining(" "));
    }

    static String place(long index, long term) {
        return index + "@" + term;
    }

    /** {@code index@term}, and what it is. */
    static String entry(Entry entry) {
        String place = place(entry.getIndex(), entry.getTerm());
        if (entry.getKind() == EntryKind.WRITE) {
            return place + "=" + entry.getData().toStringUtf8();
        }
        if (entry.getKind() == EntryKind.CONFIG) {
            try {
                return place + "=" + config(VoterConfig.parseFrom(entry.getData()));
            } catch (InvalidProtocolBufferException e) {
                throw new AssertionError(e);
            }
        }
        return entry.getKind() == EntryKind.NOOP
                ? place
                : place + "=" + entry.getKind().toString().toLowerCase(Locale.ROOT);
    }

    static String config(VoterConfig config) {
        return config.getWalIdsList().stream()
                .map(id -> "n" + id)
                .collect(Collectors.joining(",", "{", "}"));
    }
}
