package io.tidekv.compute.tablet.rocks;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import io.tidekv.compute.tablet.manifest.FileSet;
import io.tidekv.compute.tablet.manifest.ManifestException;
import io.tidekv.compute.tablet.manifest.ManifestReader;
import io.tidekv.compute.tablet.manifest.ManifestWriter;
import io.tidekv.compute.tablet.manifest.RecordFiles;
import io.tidekv.proto.manifest.SstFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.rocksdb.BlockBasedTableConfig;
import org.rocksdb.BloomFilter;
import org.rocksdb.ColumnFamilyDescriptor;
import org.rocksdb.ColumnFamilyHandle;
import org.rocksdb.ColumnFamilyOptions;
import org.rocksdb.CompactionOptions;
import org.rocksdb.DBOptions;
import org.rocksdb.FlushOptions;
import org.rocksdb.LiveFileMetaData;
import org.rocksdb.RocksDB;
import org.rocksdb.RocksDBException;
import org.rocksdb.RocksIterator;
import org.rocksdb.WriteOptions;

/** The codec against the RocksDB that defines the format: whatever it writes, and damage to it. */
class ManifestAgainstRocksTest {
    private static final int ROUNDS = Integer.getInteger("tidekv.manifest.rounds", 8);
    private static final int MUTATIONS = Integer.getInteger("tidekv.manifest.mutations", 400);
    private static final int KEYS = 500;

    @TempDir Path folder;

    @BeforeAll
    static void load() {
        NativeLibrary.load();
    }

    /** A RocksDB of its own, with options and a life drawn from a seed. */
    private static final class Db implements AutoCloseable {
        final Path path;
        final RocksDB db;
        final List<ColumnFamilyHandle> families = new ArrayList<>();
        private final DBOptions options;
        private final ColumnFamilyOptions familyOptions;

        Db(Path path, long seed, boolean create) throws RocksDBException {
            Random random = new Random(seed);
            this.path = path;
            options =
                    new DBOptions()
                            .setCreateIfMissing(create)
                            .setCreateMissingColumnFamilies(create)
                            .setAtomicFlush(random.nextBoolean())
                            .setParanoidChecks(false)
                            .setAvoidFlushDuringShutdown(true);
            BlockBasedTableConfig table =
                    new BlockBasedTableConfig()
                            .setBlockSize(256 << random.nextInt(5))
                            .setFormatVersion(4 + random.nextInt(3));
            if (random.nextBoolean()) {
                table.setFilterPolicy(new BloomFilter(10));
            }
            familyOptions =
                    new ColumnFamilyOptions()
                            .setTableFormatConfig(table)
                            .setTargetFileSizeBase(2 << 10)
                            .setMaxBytesForLevelBase(16 << 10)
                            .setLevelCompactionDynamicLevelBytes(random.nextBoolean())
                            // A copy must stand still until it has been compared.
                            .setDisableAutoCompactions(random.nextBoolean() || !create)
                            .setLevel0FileNumCompactionTrigger(2);
            List<ColumnFamilyDescriptor> names = new ArrayList<>();
            for (String name : RecordFiles.FAMILIES) {
                byte[] bytes = name.getBytes(StandardCharsets.UTF_8);
                names.add(new ColumnFamilyDescriptor(bytes, familyOptions));
            }
            boolean opened = false;
            try {
                db = RocksDB.open(options, path.toString(), names, families);
                opened = true;
            } finally {
                if (!opened) {
                    options.close();
                    familyOptions.close();
                }
            }
        }

        void live(Random random, int steps) throws RocksDBException {
            try (WriteOptions writes = new WriteOptions().setDisableWAL(true);
                    FlushOptions flush = new FlushOptions().setWaitForFlush(true)) {
                for (int step = 0; step < steps; step++) {
                    ColumnFamilyHandle family = families.get(random.nextInt(families.size()));
                    int what = random.nextInt(100);
                    if (what < 6) {
                        db.flush(flush, families);
                    } else if (what < 8) {
                        compactSome(family, random);
                    } else if (what < 10) {
                        byte[] from = key(random);
                        db.deleteRange(family, writes, from, from.clone());
                        db.deleteRange(family, writes, from, key(text(from) + "~"));
                    } else if (what < 11) {
                        db.deleteFilesInRanges(
                                family, List.of(key("k0001"), key("k0100")), random.nextBoolean());
                    } else if (what < 30) {
                        db.delete(family, writes, key(random));
                    } else {
                        byte[] value = new byte[random.nextInt(200)];
                        random.nextBytes(value);
                        db.put(family, writes, key(random), value);
                    }
                }
                db.flush(flush, families);
            }
        }

        private void compactSome(ColumnFamilyHandle family, Random random) {
            List<String> names = new ArrayList<>();
            db.getColumnFamilyMetaData(family)
                    .levels()
                    .forEach(level -> level.files().forEach(file -> names.add(file.fileName())));
            try (CompactionOptions options = new CompactionOptions()) {
                db.compactFiles(options, family, names, 1 + random.nextInt(6), -1, null);
            } catch (RocksDBException e) {
                // A level that these files cannot go to, or another compaction has them.
                assertThat(e).hasMessageNotContaining("Corruption");
            }
        }

        FileSet parsed() throws RocksDBException, IOException {
            RocksDB.LiveFiles live = db.getLiveFiles(false);
            for (String name : live.files) {
                if (name.startsWith("/MANIFEST")) {
                    byte[] bytes = Files.readAllBytes(path.resolve(name.substring(1)));
                    int length = Math.toIntExact(live.manifestFileSize);
                    return ManifestReader.read(ByteString.copyFrom(bytes, 0, length));
                }
            }
            throw new AssertionError("no MANIFEST is live");
        }

        Map<String, byte[]> content() throws RocksDBException {
            Map<String, byte[]> rows = new TreeMap<>();
            for (ColumnFamilyHandle family : families) {
                try (RocksIterator at = db.newIterator(family)) {
                    for (at.seekToFirst(); at.isValid(); at.next()) {
                        rows.put(family.getID() + " " + text(at.key()), at.value());
                    }
                    at.status();
                }
            }
            return rows;
        }

        @Override
        public void close() {
            families.forEach(ColumnFamilyHandle::close);
            db.close();
            options.close();
            familyOptions.close();
        }
    }

    private static byte[] key(Random random) {
        return key(String.format(Locale.ROOT, "k%04d", random.nextInt(KEYS)));
    }

    private static String text(byte[] key) {
        return new String(key, StandardCharsets.US_ASCII);
    }

    private static byte[] key(String key) {
        return key.getBytes(StandardCharsets.US_ASCII);
    }

    private static int files(FileSet set) {
        return set.families().stream().mapToInt(family -> family.files().size()).sum();
    }

    /**
     * Every field that RocksDB tells about its files, not only those that the live set compares.
     */
    private static void assertDescribes(FileSet set, List<LiveFileMetaData> live) {
        LiveSet.check(set, live);
        Map<Long, SstFile> parsed = new TreeMap<>();
        set.families().forEach(family -> parsed.putAll(family.files()));
        for (LiveFileMetaData file : live) {
            SstFile mine = parsed.get(LiveSet.number(file.fileName()));
            assertThat(FileSet.userKey(mine.getSmallest()).toByteArray())
                    .isEqualTo(file.smallestKey());
            assertThat(FileSet.userKey(mine.getLargest()).toByteArray())
                    .isEqualTo(file.largestKey());
            assertThat(mine.getSmallestSequence()).isEqualTo(file.smallestSeqno());
            assertThat(mine.getLargestSequence()).isEqualTo(file.largestSeqno());
        }
    }

    private static void install(Path target, byte[] manifest, Path tables) throws IOException {
        Files.createDirectories(target);
        String name = ManifestWriter.manifestName(900_000);
        Files.write(target.resolve(name), manifest);
        Files.writeString(target.resolve("CURRENT"), name + "\n");
        try (var found = Files.newDirectoryStream(tables, "*.sst")) {
            for (Path table : found) {
                Files.createLink(target.resolve(table.getFileName()), table);
            }
        }
    }

    private static void assertSame(FileSet actual, FileSet expected) {
        assertThat(actual.dbId()).isEqualTo(expected.dbId());
        assertThat(actual.lastSequence()).isEqualTo(expected.lastSequence());
        for (FileSet.Family family : expected.families()) {
            assertThat(actual.family(family.id()).name()).isEqualTo(family.name());
            assertThat(actual.family(family.id()).files()).isEqualTo(family.files());
        }
    }

    @Test
    void whatRocksWritesIsReadAndWhatWeWriteItOpens() throws Exception {
        long first = new Random(System.identityHashCode(this)).nextLong();
        for (int round = 0; round < ROUNDS; round++) {
            long seed = first + round;
            System.out.println("manifest round trip, seed " + seed);
            Random random = new Random(seed);
            Path source = Files.createDirectories(folder.resolve("s" + round));
            Path copy = folder.resolve("c" + round);
            FileSet set;
            Map<String, byte[]> content;
            try (Db db = new Db(source, seed, true)) {
                for (int i = 0; i < 4; i++) {
                    db.live(random, 300);
                    db.db.pauseBackgroundWork();
                    assertDescribes(db.parsed(), db.db.getLiveFilesMetaData());
                    db.db.continueBackgroundWork();
                }
                db.db.pauseBackgroundWork();
                set = db.parsed();
                content = db.content();
                FileSet ours = copied(set);
                ours.nextFile(900_001);
                install(copy, ManifestWriter.write(ours), source);
                db.db.continueBackgroundWork();
            }
            assertThat(files(set)).isPositive();
            set.check();
            try (Db db = new Db(copy, seed + 1, false)) {
                assertDescribes(set, db.db.getLiveFilesMetaData());
                assertThat(db.content()).containsExactlyEntriesOf(content);
                // RocksDB has written it anew by now: nothing was lost on its way through there.
                assertSame(db.parsed(), set);
                db.live(random, 300);
                db.db.pauseBackgroundWork();
                assertDescribes(db.parsed(), db.db.getLiveFilesMetaData());
                db.db.continueBackgroundWork();
            }
        }
    }

    private static FileSet copied(FileSet set) {
        return ManifestReader.read(ByteString.copyFrom(ManifestWriter.write(set)));
    }

    /**
     * Records changed at random, under checksums that fit. What we read, RocksDB opens as the same
     * files or not at all; what it opens otherwise is caught by the checks of set and live set.
     */
    @Test
    void changedManifestsNeverOpenAsAnotherTabletUnnoticed() throws Exception {
        long seed = new Random(System.identityHashCode(this)).nextLong();
        System.out.println("manifest fuzz, seed " + seed);
        Random random = new Random(seed);
        Path source = Files.createDirectories(folder.resolve("source"));
        FileSet set;
        try (Db db = new Db(source, 5, true)) {
            db.live(new Random(5), 900);
            db.db.pauseBackgroundWork();
            set = db.parsed();
            db.db.continueBackgroundWork();
        }
        set.nextFile(900_001);
        byte[] good = ManifestWriter.write(set);
        int[] outcomes = new int[4];
        for (int i = 0; i < MUTATIONS; i++) {
            byte[] changed = mutate(good, random);
            outcomes[outcome(changed, folder.resolve("m" + i))]++;
        }
        System.out.println(
                "refused by the codec "
                        + outcomes[0]
                        + ", by RocksDB "
                        + outcomes[1]
                        + ", by the live set "
                        + outcomes[2]
                        + ", opened as read "
                        + outcomes[3]);
        assertThat(outcomes[0]).isPositive();
        assertThat(outcomes[3]).isPositive();
    }

    private static int outcome(byte[] manifest, Path target) throws IOException {
        FileSet read;
        try {
            read = ManifestReader.read(ByteString.copyFrom(manifest));
            read.check();
            Files.createDirectories(target);
            String name = ManifestWriter.manifestName(900_000);
            Files.write(target.resolve(name), manifest);
            Files.writeString(target.resolve("CURRENT"), name + "\n");
        } catch (ManifestException e) {
            assertThat(e.getMessage()).isNotEmpty();
            return 0;
        }
        try (Db db = new Db(target, 5, false)) {
            try {
                LiveSet.check(read, db.db.getLiveFilesMetaData());
            } catch (ManifestException e) {
                return 2;
            }
            assertDescribes(read, db.db.getLiveFilesMetaData());
            return 3;
        } catch (RocksDBException e) {
            return 1;
        }
    }

    /** Changes a few bytes of one record and makes its checksum fit. */
    private static byte[] mutate(byte[] manifest, Random random) {
        byte[] changed = manifest.clone();
        List<Integer> starts = new ArrayList<>();
        for (int at = 0; at + 7 <= changed.length; at += 7 + length(changed, at)) {
            if (length(changed, at) > 0) {
                starts.add(at);
            }
        }
        int start = starts.get(random.nextInt(starts.size()));
        int length = length(changed, start);
        for (int i = random.nextInt(3); i >= 0; i--) {
            int at = start + 7 + random.nextInt(length);
            changed[at] =
                    random.nextBoolean()
                            ? (byte) random.nextInt(256)
                            : (byte) (changed[at] + random.nextInt(3) - 1);
        }
        CRC32C crc = new CRC32C();
        crc.update(changed, start + 6, length + 1);
        int value = (int) crc.getValue();
        int masked = ((value >>> 15) | (value << 17)) + 0xa282ead8;
        ByteBuffer.wrap(changed).order(ByteOrder.LITTLE_ENDIAN).putInt(start, masked);
        return changed;
    }

    private static int length(byte[] manifest, int at) {
        return ByteBuffer.wrap(manifest).order(ByteOrder.LITTLE_ENDIAN).getShort(at + 4) & 0xFFFF;
    }

    /** RocksDB opens a shortened MANIFEST as an older state, whichever record it ends with. */
    @Test
    void shortenedManifestsAreNoticed() throws Exception {
        Path source = Files.createDirectories(folder.resolve("source"));
        byte[] manifest;
        FileSet set;
        try (Db db = new Db(source, 9, true)) {
            db.live(new Random(9), 900);
            db.db.pauseBackgroundWork();
            set = db.parsed();
            db.db.continueBackgroundWork();
        }
        set.nextFile(900_001);
        manifest = ManifestWriter.write(set);
        int opened = 0;
        for (int cut = 1; cut < manifest.length; cut += Math.max(1, manifest.length / 40)) {
            Path target = Files.createDirectories(folder.resolve("cut" + cut));
            String name = ManifestWriter.manifestName(900_000);
            Files.write(target.resolve(name), Arrays.copyOf(manifest, manifest.length - cut));
            Files.writeString(target.resolve("CURRENT"), name + "\n");
            try (Db db = new Db(target, 9, false)) {
                opened++;
                List<LiveFileMetaData> live = db.db.getLiveFilesMetaData();
                assertThatThrownBy(() -> LiveSet.check(set, live))
                        .isInstanceOf(ManifestException.class)
                        .hasMessageContaining("missing");
            } catch (RocksDBException e) {
                assertThat(e.getMessage()).isNotEmpty();
            }
        }
        System.out.println(opened + " shortened MANIFESTs were opened by RocksDB");
        assertThat(opened).isPositive();
    }
}
