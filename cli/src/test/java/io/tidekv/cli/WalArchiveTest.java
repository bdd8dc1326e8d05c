package io.tidekv.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidekv.objects.archive.ArchiveNames;
import io.tidekv.objects.archive.ArchivePart;
import io.tidekv.objects.archive.PartBuilder;
import io.tidekv.objects.store.ObjectStore;
import io.tidekv.objects.store.ObjectStores;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.UUID;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code ctl wal archive} on a store that a node has filled. */
class WalArchiveTest {
    private static final UUID NODE = new UUID(1, 2);

    @TempDir private Path folder;

    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private final ByteArrayOutputStream err = new ByteArrayOutputStream();

    @BeforeEach
    void aNodeHasArchived() {
        try (ObjectStore store = ObjectStores.open("file:" + folder)) {
            ObjectStore cluster = ArchiveNames.ofCluster(store, 77);
            for (long segment = 1; segment <= 2; segment++) {
                PartBuilder part = new PartBuilder(NODE, 1, 77, segment, 1024);
                part.time(1_700_000_000_000L + segment * 1000);
                byte[] data = "secret".getBytes(StandardCharsets.UTF_8);
                part.entry(7, segment, 3, 2, false, ByteBuffer.wrap(data));
                part.committed(7, 99, segment, 3);
                long start = ArchivePart.SEGMENT_START;
                cluster.putIfAbsent(
                        new ArchiveNames.Place(NODE, segment, start, 1024).name(),
                        part.build(start, 1024));
            }
        }
    }

    private int run(String command) {
        out.reset();
        err.reset();
        Console console = new Console(new PrintStream(out, true), new PrintStream(err, true));
        return Tidekv.run(
                console,
                ("ctl wal archive " + command + " --object-store file:" + folder).split(" "));
    }

    private String out() {
        return out.toString(StandardCharsets.UTF_8);
    }

    @Test
    void whatIsThere() {
        assertThat(run("list")).isZero();
        assertThat(out()).contains(NODE.toString()).contains("1-2");
        assertThat(run("list --json")).isZero();
        assertThat(out()).contains("\"gaps\":0").contains("\"regions\":[7]");
    }

    @Test
    void theEntriesOfARegionWithoutTheirData() {
        assertThat(run("dump --region 7")).isZero();
        assertThat(out())
                .contains("1 term=3 WRITE bytes=6 written=2023-11-14T22:13:21Z")
                .contains("2 term=3")
                .doesNotContain("secret");
        assertThat(run("dump --region 7 --until 2023-11-14T22:13:21Z")).isZero();
        assertThat(out()).contains("1 term=3").doesNotContain("2 term=3");
        assertThat(run("dump --region 7 --to 5")).isNotZero();
        assertThat(err.toString(StandardCharsets.UTF_8)).contains("entries 3 to 5");
        assertThat(run("dump --region 8")).isNotZero();
        assertThat(err.toString(StandardCharsets.UTF_8)).contains("nothing of region 8");
        assertThat(run("dump --region 7 --until yesterday")).isNotZero();
    }

    @Test
    void whatIsOldIsDeleted() {
        assertThat(run("prune --older-than 1h")).isZero();
        assertThat(out()).contains("0 objects");
        assertThat(run("prune --older-than soon")).isNotZero();
        assertThat(err.toString(StandardCharsets.UTF_8)).contains("use 7d, 12h or 30m");
    }
}
