package io.tidekv.cli.ctl;

import com.google.protobuf.ByteString;
import java.util.HexFormat;
import java.util.Locale;

/** How values are written. */
final class Shown {
    private Shown() {}

    static String hex(ByteString key) {
        return HexFormat.of().formatHex(key.toByteArray());
    }

    /** As --api-version of the playground spells it. */
    static String apiMode(int mode) {
        return switch (mode) {
            case 1 -> "1";
            case 2 -> "1ttl";
            case 3 -> "2";
            default -> "unknown";
        };
    }

    static String bytes(long bytes) {
        if (bytes < 1 << 10) {
            return bytes + " B";
        } else if (bytes < 1 << 20) {
            return String.format(Locale.ROOT, "%.1f KiB", bytes / 1024.0);
        } else if (bytes < 1 << 30) {
            return String.format(Locale.ROOT, "%.1f MiB", bytes / 1048576.0);
        }
        return String.format(Locale.ROOT, "%.1f GiB", bytes / 1073741824.0);
    }
}
