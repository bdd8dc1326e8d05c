package io.tidekv.compute.tablet.rocks;

import io.tidekv.compute.engine.KvIterator;
import io.tidekv.compute.engine.WouldBlock;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;
import org.rocksdb.ReadOptions;
import org.rocksdb.RocksDBException;
import org.rocksdb.RocksIterator;
import org.rocksdb.Slice;

/**
 * An iterator that brings files here as it reaches them. RocksDB's own stops at an absent file with
 * a status and keeps that error: it is then made anew and goes on behind the last key.
 */
final class RocksKvIterator implements KvIterator {
    private static final byte[] FIRST_KEY = {};

    /** How to get to a position from scratch. */
    private enum Move {
        /** To the target or after it. */
        AT_OR_AFTER,
        AFTER,
        AT_OR_BEFORE,
        BEFORE,
        LAST
    }

    private final ReadView view;
    private final LocalFiles files;
    private final int family;
    private final KeyRange range;
    private final boolean waits;
    private final ReadOptions reads;
    private final @Nullable Slice lower;
    private final @Nullable Slice upper;
    private @Nullable RocksIterator rocks;

    /** What a small range needs; null for a large one, or while every file is here. */
    private @Nullable Held held;

    /** Where a large range may lead into a file that is not here whole. */
    private FileIndex.@Nullable Edge edge;

    /** The direction that {@link #edge} is for. */
    private boolean forward;

    /** What {@link LocalFiles#placed} said when it was looked for. */
    private int placed = -1;

    private byte @Nullable [] key;
    private boolean closed;

    /**
     * @param view held for this iterator
     * @param waits whether it may wait for files; else it throws {@link WouldBlock} instead
     */
    RocksKvIterator(ReadView view, LocalFiles files, int family, KeyRange range, boolean waits) {
        this.view = view;
        this.files = files;
        this.family = family;
        this.range = range;
        this.waits = waits;
        this.lower = range.start().length == 0 ? null : new Slice(range.start());
        byte[] end = range.end();
        this.upper = end == null ? null : new Slice(end);
        this.reads = new ReadOptions().setSnapshot(view.snapshot());
        if (lower != null) {
            reads.setIterateLowerBound(lower);
        }
        if (upper != null) {
            reads.setIterateUpperBound(upper);
        }
    }

    @Override
    public void seek(byte[] target) {
        byte[] from = Arrays.compareUnsigned(target, range.start()) < 0 ? range.start() : target;
        if (range.isBelowEnd(from)) {
            move(Move.AT_OR_AFTER, from);
        } else {
            leave();
        }
    }

    @Override
    public void seekForPrev(byte[] target) {
        if (!range.isBelowEnd(target)) {
            seekToLast();
        } else if (Arrays.compareUnsigned(target, range.start()) < 0) {
            leave();
        } else {
            move(Move.AT_OR_BEFORE, target);
        }
    }

    @Override
    public void seekToFirst() {
        seek(range.start());
    }

    @Override
    public void seekToLast() {
        if (range.isEmpty()) {
            leave();
        } else {
            move(Move.LAST, FIRST_KEY);
        }
    }

    @Override
    public boolean isValid() {
        return key != null;
    }

    @Override
    public void next() {
        byte[] last = position();
        turn(true, last);
        open().next();
        settle(Move.AFTER, last);
    }

    @Override
    public void prev() {
        byte[] last = position();
        turn(false, last);
        open().prev();
        settle(Move.BEFORE, last);
    }

    @Override
    public byte[] key() {
        return position().clone();
    }

    @Override
    public byte[] value() {
        position();
        return open().value();
    }

    private byte[] position() {
        byte[] current = key;
        if (current == null) {
            throw new IllegalStateException("the iterator is not at a key");
        }
        return current;
    }

    private void leave() {
        checkOpen();
        key = null;
    }

    private void move(Move move, byte[] target) {
        checkOpen();
        if (range.isEmpty()) {
            key = null;
            return;
        }
        start(move, target);
        settle(move, target);
    }

    private void start(Move move, byte[] target) {
        if (!view.isSteady() && !files.complete()) {
            byte[] end = range.end();
            byte[] last = end == null ? Sizes.LAST_KEY : end;
            boolean ahead = move == Move.AT_OR_AFTER || move == Move.AFTER;
            ensure(move == Move.LAST ? last : target, ahead);
        } else {
            placed = -1;
            edge = null;
        }
        RocksIterator at = open();
        switch (move) {
            case AT_OR_AFTER -> at.seek(target);
            case AFTER -> {
                at.seek(target);
                if (at.isValid() && Arrays.equals(at.key(), target)) {
                    at.next();
                }
            }
            case AT_OR_BEFORE -> at.seekForPrev(target);
            case BEFORE -> {
                at.seekForPrev(target);
                if (at.isValid() && Arrays.equals(at.key(), target)) {
                    at.prev();
                }
            }
            case LAST -> at.seekToLast();
        }
    }

    private void ensure(byte[] at, boolean ahead) {
        placed = files.placed();
        Held before = held;
        held = null;
        try {
            held = files.ensureNarrow(family, range, waits);
        } finally {
            if (before != null) {
                before.close();
            }
        }
        edge = null;
        forward = ahead;
        if (held == null) {
            checkWaits();
            files.ensureSeek(family, range, at, ahead);
            edge = files.edge(family, range, at, ahead);
        }
    }

    /** Before a step: the direction may be another now, or a file have got holes meanwhile. */
    private void turn(boolean ahead, byte[] from) {
        int now = files.placed();
        if (view.isSteady() || (placed == now && (held != null || forward == ahead))) {
            return;
        }
        if (held != null) {
            ensure(from, ahead);
        } else {
            checkWaits();
            placed = now;
            forward = ahead;
            edge = files.edge(family, range, from, ahead);
        }
    }

    /**
     * Takes over RocksDB's position; an error is not the end of the data, nor is a position to be
     * trusted to which holes may have led.
     */
    private void settle(Move move, byte[] target) {
        for (int attempt = 0; ; attempt++) {
            RocksIterator at = open();
            byte[] reached = at.isValid() ? at.key() : null;
            key = null;
            try {
                if (reached == null) {
                    at.status();
                }
                if (!isDoubtful(reached)) {
                    key = reached;
                    return;
                }
                at.close();
                rocks = null;
            } catch (RocksDBException e) {
                at.close();
                rocks = null;
                checkWaits();
                files.recover(e, attempt, held == null);
            }
            start(move, target);
        }
    }

    /** Whether RocksDB may have come here through holes; fetches what is behind the edge. */
    private boolean isDoubtful(byte @Nullable [] reached) {
        if (edge == null || !edge.isCrossed(reached)) {
            return false;
        }
        files.fetchWhole(edge.file());
        return true;
    }

    private void checkWaits() {
        if (!waits) {
            throw new WouldBlock();
        }
    }

    private RocksIterator open() {
        checkOpen();
        RocksIterator opened = rocks;
        if (opened == null) {
            Instance instance = view.instance();
            opened = instance.db().newIterator(instance.family(family), reads);
            rocks = opened;
        }
        return opened;
    }

    private void checkOpen() {
        if (closed) {
            throw new IllegalStateException("a closed iterator is used");
        }
    }

    @Override
    public void close() {
        if (closed) {
            return;
        }
        closed = true;
        key = null;
        if (rocks != null) {
            rocks.close();
        }
        if (held != null) {
            held.close();
        }
        reads.close();
        if (lower != null) {
            lower.close();
        }
        if (upper != null) {
            upper.close();
        }
        view.release();
    }
}
