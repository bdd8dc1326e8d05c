package io.tidekv.cli.bench;

import com.google.protobuf.ByteString;
import io.tidekv.cli.CliException;
import io.tidekv.cli.client.KvClient;
import io.tidekv.proto.cluster.ListRegionsRequest;
import io.tidekv.proto.cluster.RegionInfo;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.LongFunction;
import java.util.stream.LongStream;

/** What the benches have in common that write to one region while something happens to it. */
final class RegionUnderTest {
    static final long TIMEOUT_MILLIS = 120_000;

    /** Before and after what happens the writes run undisturbed for this long. */
    private static final long SETTLE_MILLIS = 500;

    private static final int WARM_UP_ROUNDS = 20;
    private static final int WARM_UP_WRITES = 50;

    private RegionUnderTest() {}

    /** A region by its id; 0: the first. */
    static RegionInfo find(KvClient client, long id) {
        ListRegionsRequest request =
                ListRegionsRequest.newBuilder().setRegionId(id).setLimit(1).build();
        List<RegionInfo> found =
                client.pd()
                        .cluster(TIMEOUT_MILLIS, cluster -> cluster.listRegions(request))
                        .getRegionsList();
        if (found.isEmpty()) {
            throw new CliException("there is no region " + id);
        }
        return found.get(0);
    }

    /** What keys in the region begin with that nobody else uses. */
    static ByteString prefix(RegionInfo info, String name) {
        ByteString prefix =
                info.getShape().getStartKey().concat(ByteString.copyFromUtf8("\0" + name + "-"));
        ByteString end = info.getShape().getEndKey();
        if (!end.isEmpty()
                && ByteString.unsignedLexicographicalComparator().compare(prefix, end) >= 0) {
            throw new CliException("the range of the region is too small for keys of its own");
        }
        return prefix;
    }

    /** Connects and has the code compiled, before anything is measured. */
    static void warmUp(LongFunction<CompletableFuture<Void>> put) {
        for (int i = 0; i < WARM_UP_ROUNDS; i++) {
            CompletableFuture.allOf(
                            LongStream.range(0, WARM_UP_WRITES)
                                    .mapToObj(put)
                                    .toArray(CompletableFuture<?>[]::new))
                    .join();
        }
    }

    /**
     * Waits until writes have been going on for a while, so that a gap is counted where it began.
     */
    static void settle(PacedWrites... all) throws InterruptedException {
        boolean silent = true;
        for (long waited = 0; silent && waited < TIMEOUT_MILLIS; waited += SETTLE_MILLIS) {
            new CountDownLatch(1).await(SETTLE_MILLIS, TimeUnit.MILLISECONDS);
            silent = Arrays.stream(all).anyMatch(w -> w.silentMillis() > SETTLE_MILLIS / 2.0);
        }
    }
}
