package io.tidekv.compute.mvcc;

import com.google.protobuf.ByteString;
import org.jspecify.annotations.Nullable;

/**
 * A key of a scan with its value, or why it could not be read. Key-only scans give empty values.
 */
public record ScanEntry(TxnKey key, ByteString value, @Nullable TxnError error) {}
