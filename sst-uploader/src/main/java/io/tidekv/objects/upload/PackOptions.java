package io.tidekv.objects.upload;

import java.time.Duration;

/**
 * How small files and records share objects.
 *
 * @param storeId with {@code incarnation} in the packs' names
 * @param memberMax larger files get objects of their own
 * @param packBytes a pack with so much in it is uploaded
 * @param patience how long the first member waits for others
 * @param crowd publications per second from which on they share objects; fewer are stored at once
 */
public record PackOptions(
        long storeId,
        long incarnation,
        long memberMax,
        long packBytes,
        Duration patience,
        int crowd) {
    public static PackOptions of(long storeId, long incarnation) {
        return new PackOptions(storeId, incarnation, 1 << 20, 8 << 20, Duration.ofMillis(1500), 8);
    }
}
