package io.tidekv.compute.tablet.rocks;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Decides what to compact next in one column family. Pure.
 *
 * <p>Level 0 is compacted when it has too many files, for every read looks into each of them. It
 * goes as deep as it can without rewriting much more than itself: a large one straight to the
 * bottom, a small one to the first level that is in use. A level that has outgrown its share of the
 * level below gives files to it, those first that overlap least there, weighed by how much of them
 * is tombstones and by whether they are on the local disk.
 */
final class CompactionPicker {
    /** RocksDB's levels are 0 to 6. */
    static final int BOTTOM = 6;

    /** A level is this many times larger than the one above it. */
    private static final int FAN_OUT = 8;

    /** Level 0 may drag this many times its own bytes along. */
    private static final int DRAGGED = 2;

    /** One job rewrites about this many times a table's bytes. */
    private static final int JOB_TABLES = 8;

    /** A file is at most so large a part of its level, unless it is of the smallest size. */
    private static final int LEVEL_TABLES = 4;

    /** The largest files in smallest ones: below 64 MB an upload is one request. */
    private static final double LARGEST = 3.5;

    private final int zeroFilesMax;
    private final long tableBytes;

    /**
     * @param zeroFilesMax files in level 0 from which on it is compacted
     * @param tableBytes smallest size of full files that compactions write
     */
    CompactionPicker(int zeroFilesMax, long tableBytes) {
        this.zeroFilesMax = zeroFilesMax;
        this.tableBytes = tableBytes;
    }

    /**
     * A table file. Keys are user keys, both inclusive.
     *
     * @param tombstones share of its rows that delete something, 0 to 1
     * @param local whether it is on the local disk
     */
    @SuppressWarnings("ArrayRecordComponent") // made for one decision, never changed
    record Input(
            long number,
            int level,
            long bytes,
            byte[] smallest,
            byte[] largest,
            double tombstones,
            boolean local) {
        private boolean overlaps(byte[] from, byte[] to) {
            return Arrays.compareUnsigned(largest, from) >= 0
                    && Arrays.compareUnsigned(smallest, to) <= 0;
        }
    }

    /**
     * How large the job's files become. They grow with their level: large ones cost fewer requests,
     * while a small region, or a level of which a part is to go on, stays in several.
     */
    long tableBytes(List<Input> files, Pick pick) {
        long level = pick.bytes();
        for (Input file : files) {
            if (file.level() == pick.outputLevel() && !pick.inputs().contains(file)) {
                level += file.bytes();
            }
        }
        long largest = (long) (LARGEST * tableBytes);
        return Math.min(largest, Math.max(tableBytes, level / LEVEL_TABLES));
    }

    /** All of {@code inputs}, which are closed under what RocksDB would add, into one level. */
    record Pick(List<Input> inputs, int outputLevel) {
        long bytes() {
            return inputs.stream().mapToLong(Input::bytes).sum();
        }
    }

    /** The most urgent compaction, or null when none is due. */
    @Nullable Pick pick(List<Input> files) {
        List<List<Input>> levels = byLevel(files);
        if (!levels.get(0).isEmpty() && levels.get(0).size() >= zeroFilesMax) {
            return levelZero(levels);
        }
        int worst = -1;
        double worstScore = 1;
        for (int level = 1; level < BOTTOM; level++) {
            double score = (double) bytes(levels.get(level)) / target(levels, level);
            if (score > worstScore) {
                worst = level;
                worstScore = score;
            }
        }
        return worst < 0 ? null : downwards(levels, worst);
    }

    /** All that lies above the bottom, and what it overlaps there, or null when nothing does. */
    static @Nullable Pick everything(List<Input> files) {
        List<List<Input>> levels = byLevel(files);
        List<Input> above = files.stream().filter(file -> file.level() < BOTTOM).toList();
        return above.isEmpty() ? null : new Pick(closure(levels, above, BOTTOM, BOTTOM), BOTTOM);
    }

    private static List<List<Input>> byLevel(List<Input> files) {
        List<List<Input>> levels = new ArrayList<>();
        for (int level = 0; level <= BOTTOM; level++) {
            levels.add(new ArrayList<>());
        }
        files.forEach(file -> levels.get(file.level()).add(file));
        levels.forEach(
                level -> level.sort((a, b) -> Arrays.compareUnsigned(a.smallest, b.smallest)));
        return levels;
    }

    private Pick levelZero(List<List<Input>> levels) {
        long own = bytes(levels.get(0));
        int first = firstUsed(levels);
        for (int output = BOTTOM; ; output--) {
            List<Input> inputs = closure(levels, levels.get(0), 1, output);
            if (output == first || bytes(inputs) - own <= DRAGGED * own) {
                return new Pick(inputs, output);
            }
        }
    }

    /** The first level that is large enough to be worth having. */
    private int firstUsed(List<List<Input>> levels) {
        int first = BOTTOM;
        while (first > 1
                && (!levels.get(first - 1).isEmpty() || target(levels, first - 1) >= tableBytes)) {
            first--;
        }
        return first;
    }

    private long target(List<List<Input>> levels, int level) {
        long target = Math.max(bytes(levels.get(BOTTOM)), tableBytes);
        for (int above = BOTTOM; above > level; above--) {
            target /= FAN_OUT;
        }
        return Math.max(1, target);
    }

    private Pick downwards(List<List<Input>> levels, int level) {
        List<Input> candidates = levels.get(level);
        int best = 0;
        double bestCost = Double.MAX_VALUE;
        for (int i = 0; i < candidates.size(); i++) {
            double cost = cost(levels, candidates.get(i));
            if (cost < bestCost) {
                best = i;
                bestCost = cost;
            }
        }
        List<Input> chosen = new ArrayList<>(List.of(candidates.get(best)));
        List<Input> inputs = closure(levels, chosen, level + 1, level + 1);
        for (int next = best + 1; next < candidates.size(); next++) {
            List<Input> more = new ArrayList<>(chosen);
            more.add(candidates.get(next));
            List<Input> wider = closure(levels, more, level + 1, level + 1);
            if (bytes(wider) > JOB_TABLES * tableBytes) {
                break;
            }
            chosen = more;
            inputs = wider;
        }
        int output = level + 1;
        // What overlaps nothing falls as deep as it can at once, instead of level by level.
        while (inputs.size() == chosen.size()
                && output < BOTTOM
                && closure(levels, chosen, output + 1, output + 1).size() == chosen.size()) {
            output++;
        }
        return new Pick(inputs, output);
    }

    /** Bytes rewritten below for each byte that moves down. */
    private static double cost(List<List<Input>> levels, Input file) {
        long overlapping = 0;
        for (Input below : levels.get(file.level() + 1)) {
            if (below.overlaps(file.smallest(), file.largest())) {
                overlapping += below.bytes();
            }
        }
        double cost = (double) (overlapping + file.bytes()) / Math.max(1, file.bytes());
        return cost / (1 + 2 * file.tombstones()) * (file.local() ? 1 : 2);
    }

    /** The files and all that they overlap in levels {@code from} to {@code to}, downwards. */
    private static List<Input> closure(
            List<List<Input>> levels, List<Input> files, int from, int to) {
        List<Input> closed = new ArrayList<>(files);
        for (int level = from; level <= to; level++) {
            byte[] smallest = closed.get(0).smallest();
            byte[] largest = closed.get(0).largest();
            for (Input file : closed) {
                smallest = min(smallest, file.smallest());
                largest = max(largest, file.largest());
            }
            for (Input file : levels.get(level)) {
                if (file.overlaps(smallest, largest)) {
                    closed.add(file);
                }
            }
        }
        return closed;
    }

    private static byte[] min(byte[] one, byte[] other) {
        return Arrays.compareUnsigned(one, other) <= 0 ? one : other;
    }

    private static byte[] max(byte[] one, byte[] other) {
        return Arrays.compareUnsigned(one, other) >= 0 ? one : other;
    }

    private static long bytes(List<Input> files) {
        return files.stream().mapToLong(Input::bytes).sum();
    }
}
