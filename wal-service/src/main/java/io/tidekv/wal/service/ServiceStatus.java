package io.tidekv.wal.service;

import io.tidekv.wal.storage.StorageStats;

/**
 * The service at one moment.
 *
 * @param learners regions that do not count here before they have caught up
 * @param requests handled since the start, renewals included
 * @param appends those that carried entries
 */
public record ServiceStatus(
        int regions,
        int sessions,
        int learners,
        long requests,
        long appends,
        StorageStats storage) {}
