package io.tidekv.compute.tablet.rocks;

import io.tidekv.compute.tablet.PreparedRecord;
import io.tidekv.compute.tablet.manifest.RecordFiles;
import io.tidekv.proto.manifest.SstFile;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.rocksdb.LiveFileMetaData;
import org.rocksdb.Range;
import org.rocksdb.SizeApproximationFlag;
import org.rocksdb.Slice;

/**
 * Estimates from metadata alone. Tables that are here are asked for their index; of those that are
 * not, one that straddles a bound counts half. The caller holds a use of the instance.
 */
final class Sizes {
    /** Above every key that one can store: RocksDB wants an end. */
    static final byte[] LAST_KEY = new byte[512];

    static {
        Arrays.fill(LAST_KEY, (byte) 0xFF);
    }

    private final Instance instance;
    private final LocalFiles files;
    private final Publication publication;

    Sizes(Instance instance, LocalFiles files, Publication publication) {
        this.instance = instance;
        this.files = files;
        this.publication = publication;
    }

    long memtableBytes() {
        return instance.property("rocksdb.cur-size-all-mem-tables");
    }

    long bytes(KeyRange range) {
        if (range.isEmpty()) {
            return 0;
        }
        return files.complete() ? measured(range) : estimated(range);
    }

    private long measured(KeyRange range) {
        byte[] end = range.end();
        long sum = 0;
        try (Slice from = new Slice(range.start());
                Slice to = new Slice(end == null ? LAST_KEY : end)) {
            List<Range> ranges = List.of(new Range(from, to));
            for (int family = 0; family < RecordFiles.META; family++) {
                sum +=
                        instance.db()
                                .getApproximateSizes(
                                        instance.family(family),
                                        ranges,
                                        SizeApproximationFlag.INCLUDE_FILES,
                                        SizeApproximationFlag.INCLUDE_MEMTABLES)[0];
            }
        }
        return sum;
    }

    private long estimated(KeyRange range) {
        long doubled = 0;
        for (LiveFileMetaData file : instance.db().getLiveFilesMetaData()) {
            doubled += file.size() * halvesInside(file, range);
        }
        return doubled / 2;
    }

    long keys(KeyRange range) {
        PreparedRecord base = publication.base();
        Map<Long, SstFile> known = base == null ? Map.of() : RecordFiles.byNumber(base.record());
        long doubled = 0;
        for (LiveFileMetaData file : instance.db().getLiveFilesMetaData()) {
            SstFile listed = known.get(LiveSet.number(file.fileName()));
            long entries =
                    file.numEntries() > 0 || listed == null
                            ? file.numEntries()
                            : listed.getEntries();
            doubled += entries * halvesInside(file, range);
        }
        return doubled / 2
                + instance.property("rocksdb.num-entries-active-mem-table")
                + instance.property("rocksdb.num-entries-imm-mem-tables");
    }

    /** 2: the file lies in the range; 1: in part; 0: outside, or of the meta family. */
    private static int halvesInside(LiveFileMetaData file, KeyRange range) {
        String family = new String(file.columnFamilyName(), StandardCharsets.UTF_8);
        if (family.equals(RecordFiles.FAMILIES.get(RecordFiles.META))
                || !range.touches(file.smallestKey(), file.largestKey())) {
            return 0;
        }
        boolean whole = range.contains(file.smallestKey()) && range.contains(file.largestKey());
        return whole ? 2 : 1;
    }
}
