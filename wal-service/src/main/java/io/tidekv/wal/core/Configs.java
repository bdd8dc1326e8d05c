package io.tidekv.wal.core;

import com.google.protobuf.InvalidProtocolBufferException;
import io.tidekv.common.InvariantViolation;
import io.tidekv.proto.region.Entry;
import io.tidekv.proto.region.EntryKind;
import io.tidekv.proto.region.LoggedConfig;
import io.tidekv.proto.region.VoterConfig;
import io.tidekv.proto.wal.CreateRequest;
import io.tidekv.proto.wal.VoterMeta;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The configs that a voter's log has brought, which its meta keeps: the one at the snapshot and
 * those of the CONFIG entries after it. In force is the newest. A voter itself does nothing by
 * them: it tells them to whoever opens it.
 */
final class Configs {
    private Configs() {}

    static VoterConfig newest(VoterMeta meta) {
        int logged = meta.getLoggedConfigsCount();
        return logged == 0 ? meta.getConfig() : meta.getLoggedConfigs(logged - 1).getConfig();
    }

    /** What was in force at an index that is not below the snapshot. */
    static VoterConfig at(VoterMeta meta, long index) {
        VoterConfig config = meta.getConfig();
        for (LoggedConfig logged : meta.getLoggedConfigsList()) {
            config = logged.getIndex() <= index ? logged.getConfig() : config;
        }
        return config;
    }

    /** Without the configs whose entries are not in the log: replaced, cut off or never written. */
    static VoterMeta inLog(VoterMeta meta, TermLog log) {
        if (meta.getLoggedConfigsCount() == 0) {
            return meta;
        }
        VoterMeta.Builder kept = meta.toBuilder().clearLoggedConfigs();
        for (LoggedConfig logged : meta.getLoggedConfigsList()) {
            if (logged.getIndex() > log.baseIndex()
                    && log.contains(logged.getIndex(), logged.getTerm())) {
                kept.addLoggedConfigs(logged);
            }
        }
        return kept.getLoggedConfigsCount() == meta.getLoggedConfigsCount() ? meta : kept.build();
    }

    /**
     * With the configs among {@code entries}, which are about to be appended. Those that the
     * entries replace stay until they are: the append may fail, or be lost.
     */
    static VoterMeta adding(VoterMeta meta, List<Entry> entries) {
        VoterMeta.Builder more = null;
        for (int i = 0; i < entries.size(); i++) {
            Entry entry = entries.get(i);
            if (entry.getKind() == EntryKind.CONFIG) {
                more = more == null ? meta.toBuilder() : more;
                more.addLoggedConfigs(
                        LoggedConfig.newBuilder()
                                .setIndex(entry.getIndex())
                                .setTerm(entry.getTerm())
                                .setConfig(checked(entry)));
            }
        }
        return more == null ? meta : more.build();
    }

    /**
     * Whether a later config than {@code generation} is committed, or made by the owner of this
     * very term: what it asked for under the earlier one is late.
     */
    static boolean isOutdated(VoterMeta meta, long generation) {
        boolean outdated = meta.getConfig().getGeneration() > generation;
        for (LoggedConfig logged : meta.getLoggedConfigsList()) {
            outdated |=
                    logged.getTerm() == meta.getTerm()
                            && logged.getConfig().getGeneration() > generation;
        }
        return outdated;
    }

    /** The meta with the number of the order that made the voter a learner. */
    static VoterMeta createdBy(VoterMeta meta, CreateRequest request) {
        return meta.toBuilder()
                .setCreatedTerm(request.getTerm())
                .setCreatedOrder(request.getOrder())
                .build();
    }

    /** The meta with its base moved to an index of the log. */
    static VoterMeta movedTo(VoterMeta meta, long index) {
        VoterMeta.Builder moved = meta.toBuilder().setConfig(at(meta, index)).clearLoggedConfigs();
        for (LoggedConfig logged : meta.getLoggedConfigsList()) {
            if (logged.getIndex() > index) {
                moved.addLoggedConfigs(logged);
            }
        }
        return moved.build();
    }

    /** What is wrong with the config itself; null when nothing is. */
    static @Nullable String flaw(VoterConfig config) {
        List<Long> walIds = config.getWalIdsList();
        Set<Long> distinct = new HashSet<>(walIds);
        if (walIds.isEmpty() || distinct.size() != walIds.size() || distinct.contains(0L)) {
            return "the config must name distinct voters";
        }
        return config.getGeneration() > 0 ? null : "the config must have a generation";
    }

    /** What is wrong with the config that a CONFIG entry brings; null when nothing is. */
    static @Nullable String flaw(Entry entry) {
        try {
            return flaw(VoterConfig.parseFrom(entry.getData()));
        } catch (InvalidProtocolBufferException e) {
            return "the config of entry " + entry.getIndex() + " cannot be read";
        }
    }

    private static VoterConfig checked(Entry entry) {
        try {
            return VoterConfig.parseFrom(entry.getData());
        } catch (InvalidProtocolBufferException e) {
            throw new InvariantViolation("an unchecked config in entry " + entry.getIndex());
        }
    }
}
