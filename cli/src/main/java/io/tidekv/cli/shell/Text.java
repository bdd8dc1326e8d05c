package io.tidekv.cli.shell;

import com.google.protobuf.ByteString;
import io.tidekv.cli.CliException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import picocli.CommandLine.Option;

/** How keys and values are written: as text, or in hex. */
final class Text {
    @Option(names = "--hex", description = "Keys and values are written in hex.")
    private boolean hex;

    ByteString read(String text) {
        if (!hex) {
            return ByteString.copyFromUtf8(text);
        }
        try {
            return ByteString.copyFrom(HexFormat.of().parseHex(text));
        } catch (IllegalArgumentException e) {
            throw new CliException("\"" + text + "\" is not hex: use pairs of 0-9 and a-f", e);
        }
    }

    /** Bytes that are no text show as {@code 0x…}. */
    String show(ByteString bytes) {
        if (hex) {
            return HexFormat.of().formatHex(bytes.toByteArray());
        }
        try {
            return StandardCharsets.UTF_8
                    .newDecoder()
                    .onMalformedInput(CodingErrorAction.REPORT)
                    .onUnmappableCharacter(CodingErrorAction.REPORT)
                    .decode(ByteBuffer.wrap(bytes.toByteArray()))
                    .toString();
        } catch (CharacterCodingException e) {
            return "0x" + HexFormat.of().formatHex(bytes.toByteArray());
        }
    }
}
