package io.tidekv.sim.txn;

import com.google.protobuf.ByteString;
import com.google.protobuf.Message;
import io.tidekv.compute.engine.Cf;
import io.tidekv.compute.engine.WriteBatchBuilder;
import io.tidekv.compute.engine.WriteBatchReader;
import io.tidekv.compute.txn.TxnRules;
import io.tidekv.proto.kvrpcpb.CheckSecondaryLocksResponse;
import io.tidekv.proto.kvrpcpb.CheckTxnStatusRequest;
import io.tidekv.proto.kvrpcpb.CheckTxnStatusResponse;
import io.tidekv.proto.kvrpcpb.CommitResponse;
import io.tidekv.proto.kvrpcpb.GetRequest;
import io.tidekv.proto.kvrpcpb.IsolationLevel;
import io.tidekv.proto.kvrpcpb.PessimisticLockRequest;
import io.tidekv.proto.kvrpcpb.PrewriteRequest;

/** Bugs that the simulation must find, and the right protocol. */
enum TxnPlant {
    /** The protocol as it is. */
    NONE,

    /** Asynchronous and one-phase commits take no notice of what has been read. */
    COMMIT_NOT_ABOVE_READS {
        @Override
        TxnRules rules() {
            return new TxnRules() {
                @Override
                public long commitFloor(long maxTs, long startTs, long forUpdateTs) {
                    return Math.max(startTs, forUpdateTs) + 1;
                }
            };
        }
    },

    /** Reads leave no trace. */
    READS_NOT_REMEMBERED {
        @Override
        TxnRules rules() {
            return new TxnRules() {
                @Override
                public boolean readsRaiseMaxTs() {
                    return false;
                }
            };
        }
    },

    /** Readers do not look at prewrites under way. */
    MEMORY_LOCKS_NOT_SEEN {
        @Override
        TxnRules rules() {
            return new TxnRules() {
                @Override
                public boolean readersSeeMemoryLocks() {
                    return false;
                }
            };
        }
    },

    /** The lock of a prewrite under way is dropped before it is applied. */
    MEMORY_LOCKS_DROPPED_EARLY {
        @Override
        TxnRules rules() {
            return new TxnRules() {
                @Override
                public boolean memoryLocksLast() {
                    return false;
                }
            };
        }
    },

    /** A new owner knows nothing of its predecessor's reads. */
    MAX_TS_NOT_RAISED_ON_MOVE {
        @Override
        TxnRules rules() {
            return new TxnRules() {
                @Override
                public boolean ownersTakeTimestamp() {
                    return false;
                }
            };
        }
    },

    /** Keys of a write of unknown fate are free for others while it may still be applied. */
    WRITES_UNDER_WAY_FORGOTTEN {
        @Override
        boolean forgetsWritesUnderWay() {
            return true;
        }
    },

    /** Locks do not stop readers. */
    READS_PASS_LOCKS {
        @Override
        Message request(TxnWorld world, Message request) {
            if (!(request instanceof GetRequest get)) {
                return request;
            }
            GetRequest.Builder changed = get.toBuilder();
            changed.getContextBuilder().setIsolationLevel(IsolationLevel.RC);
            return changed.build();
        }
    },

    /** A commit after the transaction's start is no conflict. */
    NEWER_COMMITS_NOT_SEEN {
        @Override
        Message request(TxnWorld world, Message request) {
            return request instanceof PrewriteRequest prewrite && prewrite.getForUpdateTs() == 0
                    ? prewrite.toBuilder().setSkipConstraintCheck(true).build()
                    : request;
        }
    },

    /** Pessimistic locks are given on data that has changed since it was looked at. */
    LOCKS_ON_OLD_DATA {
        @Override
        Message request(TxnWorld world, Message request) {
            return request instanceof PessimisticLockRequest lock
                    ? lock.toBuilder().setForUpdateTs(world.timestamp()).build()
                    : request;
        }
    },

    /** Primaries of asynchronous commits are rolled back without asking the secondaries. */
    ASYNC_PRIMARY_ROLLED_BACK {
        @Override
        Message request(TxnWorld world, Message request) {
            return request instanceof CheckTxnStatusRequest status
                    ? status.toBuilder().setForceSyncCommit(true).build()
                    : request;
        }
    },

    /** A lock is expired whatever its age, and its rollback is told but not done. */
    ROLLBACK_NOT_DONE {
        @Override
        Message response(Message response) {
            return response instanceof CheckTxnStatusResponse status
                            && status.getLockTtl() > 0
                            && !status.getLockInfo().getUseAsyncCommit()
                    ? CheckTxnStatusResponse.getDefaultInstance()
                    : response;
        }
    },

    /** A commit that finds no lock is taken for done. */
    COMMIT_WITHOUT_LOCK {
        @Override
        Message response(Message response) {
            return response instanceof CommitResponse commit
                            && commit.getError().hasTxnLockNotFound()
                    ? CommitResponse.getDefaultInstance()
                    : response;
        }
    },

    /** Secondaries that are locked are told to be rolled back. */
    SECONDARIES_FORGOTTEN {
        @Override
        Message response(Message response) {
            return response instanceof CheckSecondaryLocksResponse
                    ? CheckSecondaryLocksResponse.getDefaultInstance()
                    : response;
        }
    },

    /** Who resolves an asynchronous commit is told too low a timestamp. */
    LOWEST_COMMIT_TS {
        @Override
        Message response(Message response) {
            if (response instanceof CheckTxnStatusResponse status
                    && status.getLockInfo().getUseAsyncCommit()) {
                CheckTxnStatusResponse.Builder changed = status.toBuilder();
                changed.getLockInfoBuilder()
                        .setMinCommitTs(status.getLockInfo().getLockVersion() + 1);
                return changed.build();
            }
            if (response instanceof CheckSecondaryLocksResponse locks) {
                CheckSecondaryLocksResponse.Builder changed = locks.toBuilder();
                changed.getLocksBuilderList()
                        .forEach(lock -> lock.setMinCommitTs(lock.getLockVersion() + 1));
                return changed.build();
            }
            return response;
        }
    },

    /** Rollbacks leave no record, so that a late prewrite succeeds. */
    ROLLBACKS_NOT_RECORDED {
        @Override
        ByteString batch(TxnWorld world, ByteString batch) {
            return filtered(batch, (cf, value) -> cf == Cf.WRITE && value[0] == 'R');
        }
    },

    /** Now and then a batch is applied without its commit records. */
    COMMIT_RECORDS_LOST {
        @Override
        ByteString batch(TxnWorld world, ByteString batch) {
            return world.random().chance(0.02)
                    ? filtered(batch, (cf, value) -> cf == Cf.WRITE && value[0] == 'P')
                    : batch;
        }
    },

    /** Now and then a batch is applied without its locks. */
    LOCKS_LOST {
        @Override
        ByteString batch(TxnWorld world, ByteString batch) {
            return world.random().chance(0.05)
                    ? filtered(batch, (cf, value) -> cf == Cf.LOCK)
                    : batch;
        }
    };

    TxnRules rules() {
        return TxnRules.STANDARD;
    }

    boolean forgetsWritesUnderWay() {
        return false;
    }

    /** A request as the store gets it. */
    Message request(TxnWorld world, Message request) {
        return request;
    }

    /** An answer as the client gets it. */
    Message response(Message response) {
        return response;
    }

    /** A batch as it is applied. */
    ByteString batch(TxnWorld world, ByteString batch) {
        return batch;
    }

    private interface Drop {
        boolean drops(Cf cf, byte[] value);
    }

    private static ByteString filtered(ByteString batch, Drop drop) {
        WriteBatchBuilder kept = new WriteBatchBuilder();
        WriteBatchReader.read(
                batch,
                new WriteBatchReader.Handler() {
                    @Override
                    public void put(Cf cf, byte[] key, byte[] value) {
                        if (!drop.drops(cf, value)) {
                            kept.put(cf, key, value);
                        }
                    }

                    @Override
                    public void delete(Cf cf, byte[] key) {
                        kept.delete(cf, key);
                    }

                    @Override
                    public void deleteRange(Cf cf, byte[] from, byte[] to) {
                        kept.deleteRange(cf, from, to);
                    }
                });
        return kept.build();
    }
}
