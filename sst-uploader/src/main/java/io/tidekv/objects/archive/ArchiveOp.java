package io.tidekv.objects.archive;

import com.google.protobuf.InvalidProtocolBufferException;
import io.tidekv.proto.wal.VoterMeta;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/** What happened to one region at one node, in the order of the node's log. */
public sealed interface ArchiveOp {
    /** What follows was written at about this time, by the node's wall clock. */
    record Time(long wallMillis) implements ArchiveOp {}

    /** The voter's state from here on; with {@code reset}, all its entries are gone. */
    record Meta(VoterMeta meta, boolean reset) implements ArchiveOp {}

    /**
     * An entry, without its data. It replaces its index and, unless {@code moved}, all behind it.
     *
     * @param dataAt where its data begin in the data of the slice
     */
    record Written(
            long index, long term, int kind, boolean moved, int dataAt, int dataLength, int dataCrc)
            implements ArchiveOp {}

    /** First byte of each. */
    final class Type {
        static final byte TIME = 1;
        static final byte META = 2;
        static final byte RESET = 3;
        static final byte ENTRY = 4;
        static final byte MOVED = 5;

        private Type() {}
    }

    /** The operations of a slice, whose checksum has been compared. */
    static List<ArchiveOp> decode(String object, ByteBuffer in, RegionSlice slice) {
        List<ArchiveOp> ops = new ArrayList<>();
        int dataAt = 0;
        try {
            while (in.hasRemaining()) {
                byte type = in.get();
                switch (type) {
                    case Type.TIME -> ops.add(new Time(in.getLong()));
                    case Type.META, Type.RESET -> {
                        byte[] message = new byte[bounded(object, in.getInt(), in.remaining())];
                        in.get(message);
                        ops.add(new Meta(VoterMeta.parseFrom(message), type == Type.RESET));
                    }
                    case Type.ENTRY, Type.MOVED -> {
                        long index = in.getLong();
                        long term = in.getLong();
                        int kind = in.getInt();
                        int length = bounded(object, in.getInt(), slice.dataLength() - dataAt);
                        int crc = in.getInt();
                        boolean moved = type == Type.MOVED;
                        ops.add(new Written(index, term, kind, moved, dataAt, length, crc));
                        dataAt += length;
                    }
                    default ->
                            throw ArchiveException.damaged(
                                    object, "an operation of unknown kind " + type);
                }
            }
        } catch (BufferUnderflowException | InvalidProtocolBufferException e) {
            throw ArchiveException.damaged(object, "an operation is cut short");
        }
        if (dataAt != slice.dataLength()) {
            throw ArchiveException.damaged(object, "its entries do not fill its data");
        }
        return ops;
    }

    private static int bounded(String object, int length, int max) {
        if (length < 0 || length > max) {
            throw ArchiveException.damaged(object, "an operation has no sensible length");
        }
        return length;
    }
}
