package io.tidekv.compute.tablet.table;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidekv.compute.tablet.table.GranuleMap.Run;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.rocksdb.BlockBasedTableConfig;
import org.rocksdb.BloomFilter;
import org.rocksdb.CompressionType;
import org.rocksdb.EnvOptions;
import org.rocksdb.FlushOptions;
import org.rocksdb.LiveFileMetaData;
import org.rocksdb.Options;
import org.rocksdb.ReadOptions;
import org.rocksdb.RocksDB;
import org.rocksdb.RocksDBException;
import org.rocksdb.Snapshot;
import org.rocksdb.SstFileReader;
import org.rocksdb.SstFileReaderIterator;
import org.rocksdb.SstFileWriter;

/** What the map says of tables that RocksDB has written. */
class GranuleMapTest {
    private static final int ROWS = 20_000;
    private static final int GRANULE = 64 << 10;

    @TempDir static Path folder;

    @BeforeAll
    static void load() {
        RocksDB.loadLibrary();
    }

    private static Options options() {
        return new Options()
                .setCompressionType(CompressionType.LZ4_COMPRESSION)
                .setTableFormatConfig(table());
    }

    private static BlockBasedTableConfig table() {
        return new BlockBasedTableConfig()
                .setBlockSize(8 << 10)
                .setFormatVersion(6)
                .setFilterPolicy(new BloomFilter(10));
    }

    private static byte[] key(int row) {
        return String.format(Locale.ROOT, "table/%08d", row * 3).getBytes(StandardCharsets.UTF_8);
    }

    private static byte[] value(int row) {
        byte[] value = new byte[120 + row % 160];
        new Random(row).nextBytes(value);
        Arrays.fill(value, 0, value.length / 3, (byte) 'a');
        return value;
    }

    /** Writes rows of one version each; returns where the data blocks end. */
    private static long write(Path path) throws RocksDBException {
        try (Options options = options();
                EnvOptions env = new EnvOptions();
                SstFileWriter writer = new SstFileWriter(env, options)) {
            writer.open(path.toString());
            for (int row = 0; row < ROWS; row++) {
                writer.put(key(row), value(row));
            }
            writer.finish();
            try (SstFileReader reader = new SstFileReader(options)) {
                reader.open(path.toString());
                return reader.getTableProperties().getDataSize();
            }
        }
    }

    private static byte[] tail(byte[] file, long dataEnd) {
        return Arrays.copyOfRange(file, (int) dataEnd, file.length);
    }

    private static void checkShape(GranuleMap map, long dataEnd) {
        assertThat(map.dataBytes()).isEqualTo(dataEnd);
        assertThat(map.begin(0)).isZero();
        for (int i = 0; i < map.count(); i++) {
            assertThat(map.end(i) - map.begin(i)).isBetween(1L, (long) GRANULE);
            assertThat(map.at(map.begin(i), map.end(i))).isEqualTo(new Run(i, i));
        }
    }

    @Test
    void everyKeyIsFoundInTheGranulesItIsSaidToBeIn() throws Exception {
        Path whole = folder.resolve("000011.sst");
        long dataEnd = write(whole);
        byte[] file = Files.readAllBytes(whole);
        byte[] tail = tail(file, dataEnd);
        GranuleMap map = GranuleMap.read(tail, file.length, GRANULE);
        checkShape(map, dataEnd);
        assertThat(map.count()).isGreaterThan(20);
        Random random = new Random(7);
        for (int i = 0; i < 40; i++) {
            int row = random.nextInt(ROWS);
            Run run = map.holding(key(row));
            assertThat(run.size()).isEqualTo(1);
            byte[] sparse = new byte[file.length];
            System.arraycopy(tail, 0, sparse, (int) dataEnd, tail.length);
            int from = (int) map.begin(run.from());
            System.arraycopy(file, from, sparse, from, (int) map.end(run.to()) - from);
            Path path = folder.resolve("sparse" + i);
            Files.write(path, sparse);
            try (Options options = options();
                    ReadOptions reads = new ReadOptions();
                    SstFileReader reader = new SstFileReader(options)) {
                reader.open(path.toString());
                try (SstFileReaderIterator rows = reader.newIterator(reads)) {
                    rows.seek(key(row));
                    rows.status();
                    assertThat(rows.isValid()).isTrue();
                    assertThat(rows.key()).isEqualTo(key(row));
                    assertThat(rows.value()).isEqualTo(value(row));
                }
            }
        }
        assertThat(map.holding("z".getBytes(StandardCharsets.UTF_8)).size()).isZero();
        assertThat(map.holding("a".getBytes(StandardCharsets.UTF_8))).isEqualTo(new Run(0, 0));
        assertThat(map.holding(key(0), null)).isEqualTo(new Run(0, map.count() - 1));
    }

    /** Versions of one key in several blocks: the index then holds internal keys. */
    @Test
    void allVersionsOfAKeyAreCovered() throws Exception {
        Path place = Files.createDirectories(folder.resolve("versions"));
        try (Options options = options().setCreateIfMissing(true);
                FlushOptions flush = new FlushOptions();
                RocksDB db = RocksDB.open(options, place.toString())) {
            byte[] hot = key(500);
            Snapshot[] snapshots = new Snapshot[1500];
            for (int row = 0; row < 1000; row++) {
                db.put(key(row), value(row));
            }
            for (int i = 0; i < snapshots.length; i++) {
                db.put(hot, value(i));
                snapshots[i] = db.getSnapshot();
            }
            db.flush(flush);
            LiveFileMetaData live = db.getLiveFilesMetaData().get(0);
            byte[] file = Files.readAllBytes(Path.of(live.path() + live.fileName()));
            long dataEnd = db.getPropertiesOfAllTables().values().iterator().next().getDataSize();
            GranuleMap map = GranuleMap.read(tail(file, dataEnd), file.length, GRANULE);
            checkShape(map, dataEnd);
            Run run = map.holding(hot);
            assertThat(run.size()).isGreaterThan(2);
            assertThat(map.holding(hot, key(501))).isEqualTo(run);
            assertThat(map.holding(key(100)).size()).isEqualTo(1);
            for (Snapshot snapshot : snapshots) {
                db.releaseSnapshot(snapshot);
            }
        }
    }

    @Test
    void damageIsRefusedOrChangesNothing() throws Exception {
        Path whole = folder.resolve("000012.sst");
        long dataEnd = write(whole);
        byte[] file = Files.readAllBytes(whole);
        byte[] tail = tail(file, dataEnd);
        GranuleMap good = GranuleMap.read(tail, file.length, GRANULE);
        Random random = new Random(3);
        int refused = 0;
        for (int i = 0; i < 600; i++) {
            byte[] bad = tail.clone();
            if (i % 2 == 0) {
                bad[random.nextInt(bad.length)] ^= (byte) (1 << random.nextInt(8));
            } else {
                random.nextBytes(bad);
                int footer = bad.length - 53;
                System.arraycopy(tail, footer, bad, footer, 53);
            }
            try {
                GranuleMap map = GranuleMap.read(bad, file.length, GRANULE);
                assertThat(map.dataBytes()).isEqualTo(good.dataBytes());
            } catch (UnknownTable e) {
                refused++;
            }
        }
        assertThat(refused).isGreaterThan(300);
        for (int length : List.of(0, 10, 53, 500)) {
            byte[] end = Arrays.copyOfRange(tail, tail.length - length, tail.length);
            assertThatThrownBy(() -> GranuleMap.read(end, file.length, GRANULE))
                    .isInstanceOf(UnknownTable.class);
        }
    }
}
