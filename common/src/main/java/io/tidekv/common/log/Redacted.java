package io.tidekv.common.log;

import com.google.protobuf.ByteString;
import java.util.HexFormat;

/**
 * How users' bytes appear in logs and messages: as their length, unless {@code
 * -Dtidekv.log.user-data=true} (or {@code TIDEKV_LOG_USER_DATA}) asks for their hex form.
 */
public final class Redacted {
    private static final boolean SHOWN =
            Boolean.parseBoolean(LogSettings.value("tidekv.log.user-data", "false"));
    private static final int SHOWN_BYTES_MAX = 64;

    private Redacted() {}

    public static String key(byte[] key) {
        return key(ByteString.copyFrom(key));
    }

    public static String key(ByteString key) {
        return show(key, SHOWN);
    }

    static String show(ByteString key, boolean clear) {
        if (key.isEmpty()) {
            return "<empty>";
        } else if (!clear) {
            return "<" + key.size() + " bytes>";
        }
        int length = Math.min(key.size(), SHOWN_BYTES_MAX);
        String hex = HexFormat.of().formatHex(key.substring(0, length).toByteArray());
        return length < key.size() ? hex + "…(" + key.size() + " bytes)" : hex;
    }
}
