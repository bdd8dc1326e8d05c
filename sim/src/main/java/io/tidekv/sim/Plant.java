package io.tidekv.sim;

import io.tidekv.common.time.Clock;
import io.tidekv.compute.region.core.LeaderRules;
import io.tidekv.wal.core.VoterRules;

/** Bugs that the simulation must find, and the right protocol. */
enum Plant {
    /** The protocol as it is. */
    NONE,

    /** One voter's acknowledgement commits an entry. */
    ACK_BEFORE_QUORUM {
        @Override
        LeaderRules leaderRules() {
            return new Leader() {
                @Override
                public int commitQuorum(int voters) {
                    return 1;
                }
            };
        }
    },

    /** Entries of older terms are committed by counting replicas (Raft's figure 8). */
    COUNT_OLDER_TERMS {
        @Override
        LeaderRules leaderRules() {
            return new Leader() {
                @Override
                public long firstCountedIndex(long noopIndex) {
                    return 0;
                }
            };
        }
    },

    /** A new leader takes the longest log, whatever its last term. */
    LONGEST_LOG {
        @Override
        LeaderRules leaderRules() {
            return new Leader() {
                @Override
                public boolean prefersLog(
                        long lastTerm, long lastIndex, long bestTerm, long bestIndex) {
                    return lastIndex > bestIndex;
                }
            };
        }
    },

    /** The lease counts from when the answer came. */
    LEASE_FROM_RECEIVE {
        @Override
        LeaderRules leaderRules() {
            return new Leader() {
                @Override
                public Clock.Reading leaseStart(Clock.Reading sentAt, Clock.Reading receivedAt) {
                    return receivedAt;
                }
            };
        }
    },

    /** A lease, or a confirmation, from one voter is enough. */
    LEASE_FROM_ONE_VOTER {
        @Override
        LeaderRules leaderRules() {
            return new Leader() {
                @Override
                public int leaseQuorum(int voters) {
                    return 1;
                }
            };
        }
    },

    /** Reads go on while and after the region is released. */
    READS_AFTER_RELEASE {
        @Override
        LeaderRules leaderRules() {
            return new Leader() {
                @Override
                public boolean readsStopAtRelease() {
                    return false;
                }
            };
        }
    },

    /** A term may be opened again by another incarnation, and after it has entries. */
    REOPEN_OF_A_TERM {
        @Override
        VoterRules voterRules() {
            return new Voter() {
                @Override
                public boolean isRetransmit(boolean sameIncarnation, boolean termHasEntries) {
                    return true;
                }
            };
        }

        @Override
        boolean reusesTerms() {
            return true;
        }

        @Override
        boolean watchesOwners() {
            return false;
        }
    },

    /** A renewal brings a lapsed session back to life. */
    REVIVED_SESSION {
        @Override
        VoterRules voterRules() {
            return new Voter() {
                @Override
                public boolean mayRevive() {
                    return true;
                }
            };
        }
    },

    /** A restarted voter forgets what leases it had promised. */
    NO_RESTART_WAIT {
        @Override
        VoterRules voterRules() {
            return new Voter() {
                @Override
                public long restartWaitMs(long longestLeaseMs) {
                    return 0;
                }
            };
        }
    },

    /** A voter lets another owner in while a lease runs. */
    IGNORED_LEASE {
        @Override
        VoterRules voterRules() {
            return new Voter() {
                @Override
                public boolean runs(long untilNanos, long nowNanos) {
                    return super.runs(untilNanos - 700 * Sim.MS, nowNanos);
                }
            };
        }
    },

    /** An Append replaces whatever follows its prev, although it does not conflict. */
    TRUNCATES_WHAT_AGREES {
        @Override
        VoterRules voterRules() {
            return new Voter() {
                @Override
                public boolean replaces(long heldTerm, long offeredTerm) {
                    return true;
                }
            };
        }
    },

    /** A config may differ from the one before by two nodes: one for another, at once. */
    TWO_NODES_AT_ONCE {
        @Override
        LeaderRules leaderRules() {
            return new Leader() {
                @Override
                public boolean oneNodeAtATime() {
                    return false;
                }
            };
        }

        @Override
        boolean changesTwoAtOnce() {
            return true;
        }
    },

    /** The next config is proposed before the one before it is committed. */
    OVERLAPPING_CHANGES {
        @Override
        LeaderRules leaderRules() {
            return new Leader() {
                @Override
                public boolean oneConfigAtATime() {
                    return false;
                }
            };
        }

        @Override
        boolean hurriesChanges() {
            return true;
        }
    },

    /** Voters are changed before anything of the own term is committed (Raft's thesis, 4.1). */
    CHANGE_BEFORE_OWN_COMMIT {
        @Override
        LeaderRules leaderRules() {
            return new Leader() {
                @Override
                public boolean changesAfterOwnCommit() {
                    return false;
                }
            };
        }
    },

    /** A WAL node whose folder was emptied goes on under its old name. */
    AMNESIAC_VOTER {
        @Override
        boolean emptiesFolders() {
            return true;
        }

        @Override
        boolean watchesDisks() {
            return false;
        }
    },

    /** A voter that damage has taken entries from counts before it has caught up. */
    REPAIRED_COUNTS {
        @Override
        boolean repairedCounts() {
            return true;
        }

        @Override
        boolean watchesDisks() {
            return false;
        }
    },

    /** Some answers leave before the fsync. */
    SKIPPED_FSYNC {
        @Override
        boolean skipsFsync() {
            return true;
        }
    },

    /** PD gives a term to two incarnations. */
    TERM_REUSE {
        @Override
        boolean reusesTerms() {
            return true;
        }
    };

    LeaderRules leaderRules() {
        return LeaderRules.RIGHT;
    }

    VoterRules voterRules() {
        return VoterRules.RIGHT;
    }

    boolean skipsFsync() {
        return false;
    }

    /** PD's term counter fails now and then. */
    boolean reusesTerms() {
        return false;
    }

    /** PD orders to replace a node in one change. */
    boolean changesTwoAtOnce() {
        return false;
    }

    /** PD orders the next change without waiting for the report of the one before. */
    boolean hurriesChanges() {
        return false;
    }

    /** Disks are lost and their nodes come back under the same name. */
    boolean emptiesFolders() {
        return false;
    }

    /** What a repair has left of a disk does not say that anything is missing. */
    boolean repairedCounts() {
        return false;
    }

    /** False where the check would see the bug itself, and not what comes of it. */
    boolean watchesOwners() {
        return true;
    }

    /** As {@link #watchesOwners}. */
    boolean watchesDisks() {
        return true;
    }

    private static class Leader extends LeaderRules {}

    private static class Voter extends VoterRules {}
}
