package io.tidekv.compute.tablet.manifest;

/** Tags of RocksDB's VersionEdit and of the file entries in it (db/version_edit.h). */
final class Tags {
    static final int COMPARATOR = 1;
    static final int LOG_NUMBER = 2;
    static final int NEXT_FILE_NUMBER = 3;
    static final int LAST_SEQUENCE = 4;
    static final int COMPACT_CURSOR = 5;
    static final int DELETED_FILE = 6;
    static final int PREVIOUS_LOG_NUMBER = 9;
    static final int MIN_LOG_NUMBER_TO_KEEP = 10;
    static final int NEW_FILE = 103;
    static final int COLUMN_FAMILY = 200;
    static final int COLUMN_FAMILY_ADD = 201;
    static final int COLUMN_FAMILY_DROP = 202;
    static final int MAX_COLUMN_FAMILY = 203;
    static final int IN_ATOMIC_GROUP = 300;

    /** A tag with this bit is followed by a slice and may be skipped by who does not know it. */
    static final int IGNORABLE = 1 << 13;

    static final int DB_ID = IGNORABLE + 1;

    /** Tags inside a file entry; each but the terminator is followed by a slice. */
    static final int FILE_END = 1;

    static final int FILE_MIN_LOG_NUMBER = 3;
    static final int FILE_OLDEST_BLOB = 4;

    /** Random id of the table, checked by RocksDB when it opens the file. */
    static final int FILE_UNIQUE_ID = 12;

    /** Order of files in level 0. */
    static final int FILE_EPOCH = 13;

    /** Length of filter, index and footer. */
    static final int FILE_TAIL_SIZE = 15;

    static final int FILE_PATH_ID = 65;

    /** A tag in a file entry with this bit must be understood. */
    static final int FILE_NOT_IGNORABLE = 1 << 6;

    private Tags() {}
}
