package io.tidekv.objects.upload;

import io.tidekv.common.time.Clock;
import io.tidekv.common.time.Scheduler;
import io.tidekv.objects.manifest.ObjectKeys;
import io.tidekv.objects.manifest.PackCodec;
import io.tidekv.objects.store.Checksums;
import io.tidekv.objects.upload.Uploader.Placed;
import io.tidekv.proto.region.ObjectRef;
import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.function.BiFunction;
import java.util.function.Supplier;

/**
 * Collects what many regions have to upload into objects of many members. A member's reference is
 * known as soon as it is added; it means something once the pack has been uploaded. Thread-safe;
 * bounded, for a pack is uploaded when it is full.
 */
final class Packer {
    private final PackOptions options;
    private final Supplier<UUID> uuids;
    private final Scheduler scheduler;
    private final BiFunction<String, byte[], CompletableFuture<ObjectRef>> upload;
    private final Crowd crowd;
    private Pack filling;

    private static final class Pack {
        private final String key;
        private final ByteArrayOutputStream bytes = new ByteArrayOutputStream(64 << 10);
        private final List<PackCodec.Member> members = new ArrayList<>();
        private final CompletableFuture<Void> stored = new CompletableFuture<>();

        private Pack(String key) {
            this.key = key;
            bytes.writeBytes(PackCodec.header());
        }
    }

    /**
     * @param upload stores bytes under a name
     */
    Packer(
            PackOptions options,
            Supplier<UUID> uuids,
            Scheduler scheduler,
            Clock clock,
            BiFunction<String, byte[], CompletableFuture<ObjectRef>> upload) {
        this.options = options;
        this.uuids = uuids;
        this.scheduler = scheduler;
        this.upload = upload;
        this.crowd = new Crowd(clock, options.crowd());
        this.filling = next();
    }

    private Pack next() {
        return new Pack(ObjectKeys.pack(options.storeId(), options.incarnation(), uuids.get()));
    }

    /** Counts a publication; says whether there are enough of them to share objects. */
    boolean isWorthwhile() {
        return crowd.joins();
    }

    boolean takes(long length) {
        return length <= options.memberMax();
    }

    /** Adds a member; it is uploaded with others in a moment. */
    Placed add(PackCodec.Kind kind, long region, long term, byte[] member) {
        Pack full = null;
        Placed placed;
        synchronized (this) {
            Pack pack = filling;
            int offset = pack.bytes.size();
            int crc = Checksums.crc32c(member);
            pack.bytes.writeBytes(member);
            pack.members.add(new PackCodec.Member(kind, region, term, offset, member.length, crc));
            ObjectRef ref =
                    ObjectRef.newBuilder()
                            .setKey(pack.key)
                            .setOffset(offset)
                            .setLength(member.length)
                            .setCrc32C(crc)
                            .build();
            placed = new Placed(ref, pack.stored);
            if (pack.bytes.size() >= options.packBytes()) {
                full = pack;
                filling = next();
            } else if (pack.members.size() == 1) {
                scheduler.after(options.patience(), () -> seal(pack));
            }
        }
        if (full != null) {
            store(full);
        }
        return placed;
    }

    private void seal(Pack pack) {
        synchronized (this) {
            if (filling != pack) {
                return;
            }
            filling = next();
        }
        store(pack);
    }

    private void store(Pack pack) {
        pack.bytes.writeBytes(PackCodec.footer(pack.members));
        upload.apply(pack.key, pack.bytes.toByteArray())
                .whenComplete(
                        (ref, failure) -> {
                            if (failure == null) {
                                pack.stored.complete(null);
                            } else {
                                pack.stored.completeExceptionally(failure);
                            }
                        });
    }
}
