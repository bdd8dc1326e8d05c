package io.tidekv.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import io.tidekv.common.Randomness;
import io.tidekv.proto.region.Entry;
import io.tidekv.proto.wal.VoterMeta;
import io.tidekv.wal.storage.DiskWalFiles;
import io.tidekv.wal.storage.IdentityFile;
import io.tidekv.wal.storage.SegmentStore;
import io.tidekv.wal.storage.StorageOptions;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code ctl wal check} and {@code dump} on the folder of a stopped node. */
class WalFolderTest {
    private static final String SEGMENT = "0000000000000001.wal";

    @TempDir private Path folder;

    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private final ByteArrayOutputStream err = new ByteArrayOutputStream();

    @BeforeEach
    void aNodeHasRun() throws IOException {
        DiskWalFiles files = new DiskWalFiles(folder);
        var identity = new IdentityFile(files).open(Randomness.seeded(1));
        try (SegmentStore store =
                SegmentStore.open(files, identity.uuid(), new StorageOptions(1 << 20, 0))) {
            store.putMeta(7, VoterMeta.newBuilder().setTerm(3).build());
            store.commit();
            for (long index = 1; index <= 2; index++) {
                Entry entry =
                        Entry.newBuilder()
                                .setIndex(index)
                                .setTerm(3)
                                .setData(ByteString.copyFromUtf8("secret"))
                                .build();
                store.append(7, List.of(entry));
                store.commit();
            }
            store.mark();
        }
    }

    private int run(String command) {
        out.reset();
        err.reset();
        Console console = new Console(new PrintStream(out, true), new PrintStream(err, true));
        return Tidekv.run(console, (command + " --dir " + folder).split(" "));
    }

    private String out() {
        return out.toString(StandardCharsets.UTF_8);
    }

    private void damage() throws IOException {
        Path segment = folder.resolve(SEGMENT);
        byte[] bytes = Files.readAllBytes(segment);
        // In the body of the first entry, in the second batch behind the header.
        bytes[2 * 512 + 48 + 20] ^= 1;
        Files.write(segment, bytes);
    }

    @Test
    void aSoundFolder() {
        assertThat(run("ctl wal check --regions")).isZero();
        assertThat(out()).contains("3 records, 1 regions").contains("no damage");
        assertThat(out()).containsPattern("7 +3 +0/0 +0 +2");
        assertThat(run("ctl wal dump")).isZero();
        assertThat(out())
                .contains("entry at=1076 region=7 index=1 term=3")
                .doesNotContain("secret");
        assertThat(run("ctl wal dump --region 8")).isZero();
        assertThat(out()).doesNotContain("region=7");
    }

    @Test
    void aDamagedFolder() throws IOException {
        damage();
        assertThat(run("ctl wal check --json")).isEqualTo(1);
        assertThat(Json.read(out()).path("damages").path(0).asText())
                .isEqualTo(SEGMENT + " at byte 1024: a batch that had been synced is not whole");
        assertThat(run("ctl wal dump")).isEqualTo(1);
        assertThat(out()).contains("index=2").doesNotContain("index=1");
        assertThat(err.toString(StandardCharsets.UTF_8)).contains("damage: " + SEGMENT);
    }

    @Test
    void noFolderOfANode() throws IOException {
        Files.delete(folder.resolve("IDENTITY"));
        assertThat(run("ctl wal check")).isEqualTo(1);
        assertThat(err.toString(StandardCharsets.UTF_8)).contains("no identity of a WAL node");
    }
}
