package io.tidekv.it;

import com.google.protobuf.ByteString;
import io.grpc.ManagedChannel;
import io.tidekv.common.codec.Memcomparable;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.io.TempDir;
import org.tikv.common.TiConfiguration;
import org.tikv.common.TiSession;

/**
 * What each call of an unmodified Java client does at its edges, in mode V1: some three hundred
 * small cases against one cluster whose borders between regions lie within the data.
 */
class ClientMatrixTest {
    @TempDir static Path folder;
    private static Playground playground;
    private static TiSession rawSession;
    private static TiSession txnSession;

    @BeforeAll
    static void start() {
        playground = Playground.startInOneProcess(folder.resolve("cluster"));
        ManagedChannel channel = playground.channel(playground.pd());
        try {
            for (String border : RawMatrix.BORDERS) {
                Splitter.split(
                        Playground.cluster(channel),
                        ByteString.copyFrom(border, StandardCharsets.ISO_8859_1));
            }
            for (String border : TxnMatrix.BORDERS) {
                Splitter.split(
                        Playground.cluster(channel),
                        ByteString.copyFrom(
                                Memcomparable.encode(border.getBytes(StandardCharsets.UTF_8))));
            }
        } finally {
            channel.shutdownNow();
        }
        TiConfiguration raw = Clients.raw(playground);
        raw.setEnableAtomicForCAS(true);
        rawSession = TiSession.create(raw);
        txnSession = TiSession.create(Clients.txn(playground));
    }

    @AfterAll
    static void stop() throws Exception {
        rawSession.close();
        txnSession.close();
        playground.close();
    }

    @Nested
    class Raw extends RawMatrix {
        Raw() {
            super(rawSession.createRawClient());
        }
    }

    @Nested
    class Txn extends TxnMatrix {
        Txn() {
            super(txnSession, playground);
        }
    }
}
