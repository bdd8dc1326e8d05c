package io.tidekv.compute.mvcc;

/** A commit record and where it stands. */
public record Version(long commitTs, WriteRecord write) {}
