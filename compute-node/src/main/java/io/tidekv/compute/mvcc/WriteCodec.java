package io.tidekv.compute.mvcc;

import com.google.protobuf.ByteString;
import com.google.protobuf.UnsafeByteOperations;
import io.tidekv.common.codec.ByteReader;
import io.tidekv.common.codec.ByteWriter;
import io.tidekv.common.codec.CodecException;
import org.jspecify.annotations.Nullable;

/**
 * Commit records in TiKV's form: kind and start timestamp, then parts that each begin with a
 * letter. Source: tikv {@code components/txn_types/src/write.rs}.
 */
public final class WriteCodec {
    private static final int SHORT_VALUE = 'v';
    private static final int OVERLAPPED_ROLLBACK = 'R';
    private static final int GC_FENCE = 'F';
    private static final int LAST_CHANGE = 'l';
    private static final int TXN_SOURCE = 'S';

    private WriteCodec() {}

    public static byte[] encode(WriteRecord write) {
        ByteString value = write.shortValue();
        ByteWriter out = new ByteWriter(32 + (value == null ? 0 : value.size()));
        out.u8(write.kind().letter()).varU64(write.startTs());
        if (value != null) {
            out.u8(SHORT_VALUE).u8(value.size()).bytes(value.toByteArray());
        }
        if (write.overlappedRollback()) {
            out.u8(OVERLAPPED_ROLLBACK);
        }
        if (write.gcFence() != null) {
            out.u8(GC_FENCE).u64(write.gcFence());
        }
        if (write.lastChange().isKnown()) {
            out.u8(LAST_CHANGE);
            write.lastChange().write(out);
        }
        if (write.txnSource() != 0) {
            out.u8(TXN_SOURCE).varU64(write.txnSource());
        }
        return out.toBytes();
    }

    public static WriteRecord decode(byte[] bytes) {
        ByteReader in = new ByteReader(bytes);
        WriteKind kind = WriteKind.of(in.u8());
        long startTs = in.varU64();
        @Nullable ByteString value = null;
        boolean overlapped = false;
        @Nullable Long fence = null;
        LastChange lastChange = LastChange.UNKNOWN;
        long source = 0;
        while (!in.isEmpty()) {
            switch (in.u8()) {
                case SHORT_VALUE -> value = UnsafeByteOperations.unsafeWrap(in.bytes(in.u8()));
                case OVERLAPPED_ROLLBACK -> overlapped = true;
                case GC_FENCE -> fence = in.u64();
                case LAST_CHANGE -> lastChange = LastChange.read(in);
                case TXN_SOURCE -> source = in.varU64();
                default -> throw new CodecException("a commit record has an unknown part");
            }
        }
        return new WriteRecord(kind, startTs, value, overlapped, fence, lastChange, source);
    }
}
