package io.tidekv.objects.gc;

import io.tidekv.common.Randomness;
import io.tidekv.common.time.ManualClock;
import io.tidekv.objects.gc.ChaosRegion.Child;
import io.tidekv.objects.gc.ChaosRegion.LocalFile;
import io.tidekv.objects.gc.ChaosRegion.Proposal;
import io.tidekv.objects.gc.ClusterRoots.Cut;
import io.tidekv.objects.gc.ClusterRoots.RegionRoots;
import io.tidekv.objects.manifest.ObjectKeys;
import io.tidekv.objects.manifest.PackCodec;
import io.tidekv.objects.manifest.RecordCodec;
import io.tidekv.objects.store.Checksums;
import io.tidekv.objects.store.ObjectStore;
import io.tidekv.proto.manifest.Lineage;
import io.tidekv.proto.manifest.SstFile;
import io.tidekv.proto.manifest.TabletRecord;
import io.tidekv.proto.region.ObjectRef;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * A cluster as far as its objects are concerned: regions with the truth of their logs, leaders and
 * former leaders that do not know it, and a PD with old reports. Each {@link #step} does one thing
 * at random.
 */
final class ChaosCluster {
    static final long CLUSTER = 7;
    private static final int KEYS = 64;

    final ObjectStore store;
    private final ManualClock clock;
    private final Randomness random;
    final Map<Long, ChaosRegion> regions = new LinkedHashMap<>();
    private final List<ChaosLeader> leaders = new ArrayList<>();
    private final Map<Long, PdRegion> pd = new LinkedHashMap<>();
    final Set<ObjectRef> held = new HashSet<>();
    final Map<String, Integer> counts = new TreeMap<>();
    private long nextId = 10;
    private ChaosLeader.Pack filling;
    private boolean quiet;

    /** Workers at their jobs, whether or not anybody still waits for them. */
    private final List<ChaosJob> workers = new ArrayList<>();

    /** Planted mistakes. */
    boolean reportsBeforeNoop;

    boolean forgetsJobs;

    private record PdRegion(long term, @Nullable RegionRoots report) {}

    ChaosCluster(ObjectStore store, ManualClock clock, Randomness random) {
        this.store = store;
        this.clock = clock;
        this.random = random;
        filling = nextPack();
        ChaosRegion first = new ChaosRegion(nextId++, 0, KEYS);
        first.current = null;
        regions.put(first.id, first);
        pd.put(first.id, new PdRegion(1, null));
        open(first, 1);
    }

    private void count(String what) {
        counts.merge(what, 1, Integer::sum);
    }

    private ChaosLeader.Pack nextPack() {
        return new ChaosLeader.Pack(ObjectKeys.pack(1, 1, random.nextUuid()));
    }

    /** Stores the pack that is being filled, or does not, or does and nobody hears of it. */
    private void seal() {
        if (filling.content.isEmpty()) {
            return;
        }
        ChaosLeader.Pack pack = filling;
        filling = nextPack();
        pack.sealed = true;
        pack.failed = random.chance(0.15);
        if (!pack.failed || random.chance(0.5)) {
            store.putIfAbsent(pack.content.name(), pack.content.sealed());
            count("packs");
        }
    }

    void step() {
        clock.advanceMillis(random.nextInt(20_000));
        if (!filling.content.isEmpty() && random.chance(0.1)) {
            seal();
        }
        ChaosLeader leader = leaders.get(random.nextInt(leaders.size()));
        if (!leads(leader) && random.chance(0.8)) {
            List<ChaosLeader> present = leaders.stream().filter(ChaosCluster::leads).toList();
            leader = present.get(random.nextInt(present.size()));
        }
        switch (random.nextInt(quiet ? 8 : 17)) {
            case 0 -> write(leader);
            case 1 -> compact(leader);
            case 2, 3 -> publish(leader);
            case 4, 5 -> split(leader);
            case 6 -> report(leader);
            case 7 -> adoptChildren(leader);
            case 11 -> clock.advanceMillis(random.nextInt(600_000));
            case 8 -> {
                if (random.chance(0.15)) {
                    takeOver(leader.region);
                }
            }
            case 9 -> write(leader);
            case 10 -> backup();
            case 13, 14 -> merge(leader);
            case 15, 16 -> compactElsewhere(leader);
            default -> publish(leader);
        }
        while (leaders.size() > 60) {
            giveUp(leaders.remove(random.nextInt(leaders.size() / 2)));
            for (ChaosRegion region : regions.values()) {
                if (leaders.stream().noneMatch(l -> leads(l) && l.region == region)) {
                    takeOver(region);
                }
            }
        }
    }

    private static boolean leads(ChaosLeader leader) {
        return leader.leads();
    }

    private void write(ChaosLeader leader) {
        int from = leader.region.start + random.nextInt(leader.region.end - leader.region.start);
        int to = from + random.nextInt(leader.region.end - from);
        long number = leader.nextFile++;
        leader.files.put(number, new LocalFile(number, from, to, null));
    }

    private void compact(ChaosLeader leader) {
        if (leader.files.size() < 2) {
            return;
        }
        int from = KEYS;
        int to = 0;
        for (LocalFile file : List.copyOf(leader.files.values())) {
            if (random.chance(0.7)) {
                leader.files.remove(file.number());
                from = Math.min(from, file.from());
                to = Math.max(to, file.to());
            }
        }
        if (from <= to) {
            long number = leader.nextFile++;
            leader.files.put(number, new LocalFile(number, from, to, null));
        }
    }

    /** One more step of compactions that workers do, for this leader or for any. */
    private void compactElsewhere(ChaosLeader leader) {
        ChaosJob job = leader.job;
        if (!workers.isEmpty() && random.chance(0.5)) {
            work(workers.get(random.nextInt(workers.size())));
        } else if (job == null) {
            lend(leader);
        } else if (random.chance(0.1)) {
            leader.job = null;
            count("jobs given up");
        } else if (!job.outputs.isEmpty() && !leader.isChanging() && upload(leader)) {
            adopt(leader, job);
        }
    }

    private void work(ChaosJob job) {
        if (random.chance(0.2)) {
            workers.remove(job);
            return;
        }
        int from = KEYS;
        int to = 0;
        for (LocalFile input : job.inputs.values()) {
            from = Math.min(from, input.from());
            to = Math.max(to, input.to());
        }
        LocalFile output = new LocalFile(1 + job.outputs.size(), from, to, null);
        count(job.isOpen() ? "uploads by workers" : "late uploads by workers");
        job.outputs.add(output.at(uploadFile(job.owner, output)));
    }

    /** Of published files, some, that the leader has as they were published. */
    private void lend(ChaosLeader leader) {
        ObjectRef since = leader.current;
        if (since == null || quiet || store.head(since.getKey()) == null) {
            return;
        }
        Map<Long, LocalFile> inputs = new TreeMap<>();
        for (SstFile file : load(since).getColumnFamilies(0).getFilesList()) {
            LocalFile mine = leader.files.get(file.getNumber());
            if (mine != null && file.getObject().equals(mine.object()) && random.chance(0.7)) {
                inputs.put(mine.number(), mine);
            }
        }
        if (!inputs.isEmpty()) {
            leader.job = new ChaosJob(leader, since, inputs);
            workers.add(leader.job);
        }
    }

    /** The record of a publication that names the outputs; it is tried once. */
    private void adopt(ChaosLeader leader, ChaosJob job) {
        if (!job.fits()) {
            leader.job = null;
            count("jobs that do not fit");
            return;
        }
        Map<Long, LocalFile> mine = new TreeMap<>(leader.files);
        Map<Long, LocalFile> adopted = job.adopt();
        leader.files.clear();
        leader.files.putAll(adopted);
        leader.draft = record(leader);
        leader.files.clear();
        leader.files.putAll(mine);
    }

    private void adopted(ChaosLeader leader) {
        ChaosJob job = leader.job;
        if (job != null && !job.adopted.isEmpty()) {
            Map<Long, LocalFile> placed = job.place(leader.files);
            leader.files.clear();
            leader.files.putAll(placed);
            leader.job = null;
            count("jobs adopted");
        }
    }

    /** One more step of a publication; the store may fail in between. */
    private void publish(ChaosLeader leader) {
        if (leader.split != null || leader.merge != null || leader.leaving) {
            return;
        }
        if (leader.waiting != null) {
            await(leader, leader.waiting);
            return;
        }
        if (leader.stored != null) {
            propose(leader, new Proposal(leader.stored, null, leader.current));
            return;
        }
        if (leader.draft != null) {
            if (random.chance(0.2)) {
                leader.draft = null;
                if (leader.job != null && !leader.job.adopted.isEmpty()) {
                    leader.job = null;
                }
                count("failed publications");
            } else {
                leader.stored = put(leader.draft);
            }
            return;
        }
        if (!quiet && random.chance(0.4)) {
            share(leader);
        } else if (upload(leader)) {
            leader.draft = record(leader);
        }
    }

    /** Publishes in packs: small files and the record, which names places not stored yet. */
    private void share(ChaosLeader leader) {
        List<ChaosLeader.Pack> packs = new ArrayList<>();
        Map<Long, ObjectRef> placed = new TreeMap<>();
        for (LocalFile file : List.copyOf(leader.files.values())) {
            if (file.object() != null) {
                continue;
            }
            if (random.chance(0.2)) {
                ObjectRef alone = uploadFile(leader, file);
                leader.files.put(file.number(), file.at(alone));
            } else {
                packs.add(filling);
                byte[] bytes = content();
                placed.put(
                        file.number(),
                        filling.content.add(
                                PackCodec.Kind.TABLE, leader.region.id, leader.term, bytes));
            }
            if (random.chance(0.05)) {
                seal();
            }
        }
        Map<Long, LocalFile> mine = new TreeMap<>(leader.files);
        placed.forEach((number, ref) -> leader.files.put(number, mine.get(number).at(ref)));
        byte[] frame = RecordCodec.encode(record(leader));
        leader.files.putAll(mine);
        ObjectRef record =
                filling.content.add(PackCodec.Kind.RECORD, leader.region.id, leader.term, frame);
        packs.add(filling);
        leader.waiting = new ChaosLeader.Waiting(packs, placed, record);
    }

    private void await(ChaosLeader leader, ChaosLeader.Waiting waiting) {
        if (!waiting.packs().stream().allMatch(pack -> pack.sealed)) {
            return;
        }
        leader.waiting = null;
        if (waiting.packs().stream().anyMatch(pack -> pack.failed)) {
            count("failed packs");
            return;
        }
        waiting.files()
                .forEach(
                        (number, ref) ->
                                leader.files.computeIfPresent(number, (n, f) -> f.at(ref)));
        leader.stored = waiting.record();
        count("shared publications");
    }

    private byte[] content() {
        byte[] bytes = new byte[50 + random.nextInt(50)];
        random.nextBytes(bytes);
        return bytes;
    }

    private ObjectRef uploadFile(ChaosLeader leader, LocalFile file) {
        byte[] bytes = content();
        String name =
                ObjectKeys.sst(leader.region.id, leader.term, file.number(), random.nextUuid());
        store.putIfAbsent(name, bytes);
        return ChaosRecords.ref(name, bytes);
    }

    /** Uploads some of what is new, perhaps all of it. */
    private boolean upload(ChaosLeader leader) {
        for (LocalFile file : List.copyOf(leader.files.values())) {
            if (file.object() == null) {
                if (random.chance(0.15)) {
                    return false;
                }
                leader.files.put(file.number(), file.at(uploadFile(leader, file)));
            }
        }
        return true;
    }

    private TabletRecord record(ChaosLeader leader) {
        ChaosRegion region = leader.region;
        TabletRecord.Builder record =
                ChaosRecords.shape(TabletRecord.newBuilder(), region.id, region.start, region.end)
                        .setTerm(leader.term)
                        .setSequence(++leader.sequence)
                        .setAppliedIndex(100 + leader.sequence)
                        .setNextFile(leader.nextFile)
                        .addAllLineage(leader.lineage);
        return ChaosRecords.files(record, leader, region.start, region.end);
    }

    private ObjectRef put(TabletRecord record) {
        String name =
                ObjectKeys.record(
                        record.getShape().getRegionId(),
                        record.getTerm(),
                        record.getSequence(),
                        random.nextUuid());
        byte[] frame = RecordCodec.encode(record);
        store.putIfAbsent(name, frame);
        return ChaosRecords.ref(name, frame);
    }

    /** Through the log: a leader that was replaced only knows that it did not hear of it. */
    private void propose(ChaosLeader leader, Proposal proposal) {
        ChaosRegion region = leader.region;
        if (!leads(leader)) {
            return;
        }
        if (pd.containsKey(region.id) && random.chance(quiet ? 0 : 0.1)) {
            region.uncertain = proposal;
            takeOver(region);
            return;
        }
        apply(region, proposal);
        if (proposal.child() == null) {
            adopted(leader);
        } else {
            leader.job = null;
        }
        leader.current = region.current;
        leader.stored = null;
        leader.draft = null;
        leader.waiting = null;
        leader.split = null;
        leader.splitStored = false;
    }

    private void apply(ChaosRegion region, Proposal proposal) {
        if (proposal.child() != null) {
            region.pending.add(proposal.child());
            region.end = proposal.child().start();
            Child child = proposal.child();
            ChaosRegion made = new ChaosRegion(child.id(), child.start(), child.end());
            made.current = child.first();
            regions.put(made.id, made);
            open(made, child.term());
            count("splits");
        } else if (Objects.equals(region.current, proposal.parent())) {
            region.current = proposal.record();
            count("publications");
        }
    }

    /** PD issues a term and its owner opens, having completed the log or not. */
    private void takeOver(ChaosRegion region) {
        PdRegion known = pd.get(region.id);
        if (known == null) {
            // A child that PD does not know yet cannot be given away.
            return;
        }
        Proposal uncertain = region.uncertain;
        region.uncertain = null;
        if (uncertain != null && random.chance(0.5)) {
            apply(region, uncertain);
            count("adopted entries");
        }
        long term = Math.max(region.term, known.term());
        RegionRoots early =
                reportsBeforeNoop && known.report() != null
                        ? new RegionRoots(
                                region.id,
                                term + 1,
                                true,
                                known.report().record(),
                                known.report().pins(),
                                Set.of())
                        : null;
        pd.put(region.id, new PdRegion(term + 1, early));
        open(region, term + 1);
        count("takeovers");
    }

    private void open(ChaosRegion region, long term) {
        region.term = term;
        ChaosLeader leader = new ChaosLeader(region, term);
        leader.current = region.current;
        if (region.current != null) {
            ChaosRecords.take(leader, load(region.current));
        }
        leaders.add(leader);
    }

    private TabletRecord load(ObjectRef record) {
        return RecordCodec.decode(record.getKey(), RecordCodec.read(store, record));
    }

    private void split(ChaosLeader leader) {
        ChaosRegion region = leader.region;
        if (leader.split == null) {
            if (leader.isChanging()) {
                return;
            }
            if (region.end - region.start < 8 || regions.size() > 12 || quiet) {
                return;
            }
            if (!upload(leader)) {
                return;
            }
            int middle = region.start + 2 + random.nextInt(region.end - region.start - 4);
            leader.split = new Child(nextId++, middle, region.end, null, 1);
        } else if (!leader.splitStored) {
            Child child = leader.split;
            TabletRecord.Builder first =
                    ChaosRecords.shape(
                                    TabletRecord.newBuilder(),
                                    child.id(),
                                    child.start(),
                                    child.end())
                            .setTerm(child.term())
                            .setNextFile(leader.nextFile)
                            .addLineage(
                                    Lineage.newBuilder().setRegionId(region.id).setEvent("split"));
            ObjectRef name = put(ChaosRecords.files(first, leader, child.start(), child.end()));
            leader.split = new Child(child.id(), child.start(), child.end(), name, child.term());
            leader.splitStored = true;
        } else if (random.chance(0.3)) {
            leader.split = null;
            leader.splitStored = false;
            count("splits given up");
        } else {
            propose(leader, new Proposal(null, leader.split, null));
        }
    }

    /** One more step of a merge; others may take either of the two over in between. */
    private void merge(ChaosLeader leader) {
        ChaosLeader.Merge merge = leader.merge;
        if (!leads(leader) || (merge != null && !leads(merge.source))) {
            giveUp(leader);
        } else if (merge == null) {
            ChaosLeader source = neighbour(leader);
            if (mayMerge(leader) && source != null) {
                leader.merge = new ChaosLeader.Merge(source);
                source.leaving = true;
            }
        } else if (merge.stored == null) {
            if (upload(leader) && upload(merge.source)) {
                merge.stored = put(merged(leader, merge.source));
            }
        } else if (random.chance(0.3)) {
            giveUp(leader);
            count("merges given up");
        } else {
            boolean heard = random.chance(0.8);
            if (heard || random.chance(0.5)) {
                absorb(leader, merge);
            }
            giveUp(leader);
            if (!heard) {
                takeOver(leader.region);
            }
        }
    }

    private void giveUp(ChaosLeader leader) {
        if (leader.merge != null) {
            leader.merge.source.leaving = false;
            leader.merge = null;
        }
    }

    private boolean mayMerge(ChaosLeader leader) {
        return !leader.isChanging()
                && leader.region.pending.isEmpty()
                && leader.region.merged.isEmpty()
                && leader.region.current != null
                && pd.containsKey(leader.region.id);
    }

    private @Nullable ChaosLeader neighbour(ChaosLeader of) {
        for (ChaosLeader other : leaders) {
            ChaosRegion region = other.region;
            if (leads(other)
                    && mayMerge(other)
                    && (region.end == of.region.start || region.start == of.region.end)) {
                return other;
            }
        }
        return null;
    }

    /** The files of both; what reaches over the border is copied in the target's name. */
    private TabletRecord merged(ChaosLeader target, ChaosLeader source) {
        ChaosRegion one = target.region;
        ChaosRegion other = source.region;
        Map<Long, LocalFile> own = new TreeMap<>(target.files);
        target.files.values().removeIf(f -> !meets(f, one));
        target.files.replaceAll((number, file) -> cut(target, file, one));
        for (LocalFile file : source.files.values()) {
            if (meets(file, other)) {
                long number = target.nextFile++;
                LocalFile added = new LocalFile(number, file.from(), file.to(), file.object());
                target.files.put(number, cut(target, added, other));
            }
        }
        int start = Math.min(one.start, other.start);
        int end = Math.max(one.end, other.end);
        TabletRecord.Builder record =
                ChaosRecords.shape(TabletRecord.newBuilder(), one.id, start, end)
                        .setTerm(target.term)
                        .setSequence(++target.sequence)
                        .setAppliedIndex(100 + target.sequence)
                        .setNextFile(target.nextFile)
                        .addAllLineage(target.lineage)
                        .addAllLineage(source.lineage)
                        .addLineage(Lineage.newBuilder().setRegionId(other.id).setEvent("merge"));
        TabletRecord made = ChaosRecords.files(record, target, start, end);
        target.files.clear();
        target.files.putAll(own);
        return made;
    }

    private static boolean meets(LocalFile file, ChaosRegion region) {
        return file.to() >= region.start && file.from() < region.end;
    }

    private LocalFile cut(ChaosLeader writer, LocalFile file, ChaosRegion to) {
        if (file.from() >= to.start && file.to() < to.end) {
            return file;
        }
        long number = writer.nextFile++;
        int from = Math.max(file.from(), to.start);
        LocalFile copy = new LocalFile(number, from, Math.min(file.to(), to.end - 1), null);
        LocalFile placed = copy.at(uploadFile(writer, copy));
        return new LocalFile(file.number(), placed.from(), placed.to(), placed.object());
    }

    /** The entry that decides is in the target's log. */
    private void absorb(ChaosLeader leader, ChaosLeader.Merge merge) {
        ChaosRegion target = leader.region;
        ChaosRegion source = merge.source.region;
        target.start = Math.min(target.start, source.start);
        target.end = Math.max(target.end, source.end);
        target.current = merge.stored;
        source.gone = true;
        regions.remove(source.id);
        if (random.chance(0.3)) {
            PdRegion known = pd.get(source.id);
            pd.put(source.id, new PdRegion(known.term() + 1, null));
        }
        target.merged.add(source.id);
        leader.current = target.current;
        leader.job = null;
        leader.files.clear();
        ChaosRecords.take(leader, load(leader.current));
        count("merges");
    }

    /** The target's duty: PD learns that the source is gone. */
    private void forgetMerged(ChaosLeader leader) {
        if (leads(leader)) {
            leader.region.merged.forEach(pd::remove);
            leader.region.merged.clear();
        }
    }

    /** The parent's duty: PD learns of the child, then the log forgets it. */
    private void adoptChildren(ChaosLeader leader) {
        ChaosRegion region = leader.region;
        forgetMerged(leader);
        if (!leads(leader) || region.pending.isEmpty()) {
            return;
        }
        Child child = region.pending.get(0);
        boolean gone = !regions.containsKey(child.id());
        if (!pd.containsKey(child.id()) && !gone) {
            pd.put(child.id(), new PdRegion(child.term(), null));
        } else {
            region.pending.remove(0);
        }
    }

    private void report(ChaosLeader leader) {
        PdRegion known = pd.get(leader.region.id);
        if (known == null || known.term() != leader.term || !leads(leader)) {
            return;
        }
        List<ObjectRef> pins = new ArrayList<>();
        leader.region.pending.forEach(child -> pins.add(child.first()));
        ChaosJob job = forgetsJobs ? null : leader.job;
        pd.put(
                leader.region.id,
                new PdRegion(
                        leader.term,
                        new RegionRoots(
                                leader.region.id,
                                leader.term,
                                true,
                                leader.region.current,
                                pins,
                                Set.of(),
                                job == null ? null : job.since)));
    }

    private void backup() {
        if (held.size() < 5 || random.chance(0.5)) {
            for (ChaosRegion region : regions.values()) {
                if (region.current != null) {
                    held.add(region.current);
                }
            }
            count("backups");
        } else {
            held.clear();
        }
    }

    /** As PD is read, with other things happening between the two halves. */
    Cut cut(Runnable between) {
        Map<Long, PdRegion> reports = new LinkedHashMap<>(pd);
        between.run();
        long newest = nextId++;
        Map<Long, PdRegion> table = new LinkedHashMap<>(pd);
        Map<Long, RegionRoots> roots = new LinkedHashMap<>();
        for (Map.Entry<Long, PdRegion> entry : table.entrySet()) {
            PdRegion reported = reports.get(entry.getKey());
            long term = entry.getValue().term();
            boolean settled =
                    reported != null && reported.report() != null && reported.term() == term;
            roots.put(
                    entry.getKey(),
                    settled ? reported.report() : RegionRoots.unsettled(entry.getKey(), term));
        }
        return new Cut(newest, roots);
    }

    /** Names of objects that somebody can need; fails when one is missing or damaged. */
    Set<String> verify() {
        Set<ObjectRef> records = new LinkedHashSet<>(held);
        for (ChaosRegion region : regions.values()) {
            if (region.current != null) {
                records.add(region.current);
            }
            for (Child child : region.pending) {
                // A child that has published needs its first record no more, pinned or not.
                // One that is part of its neighbour does not either.
                ChaosRegion made = regions.get(child.id());
                if (made != null && child.first().equals(made.current)) {
                    records.add(child.first());
                }
            }
        }
        Set<String> needed = new HashSet<>();
        for (ObjectRef record : records) {
            needed.add(record.getKey());
            for (SstFile file : load(record).getColumnFamilies(0).getFilesList()) {
                ObjectRef ref = file.getObject();
                byte[] bytes = store.getRange(ref.getKey(), ref.getOffset(), (int) ref.getLength());
                if (Checksums.crc32c(bytes) != ref.getCrc32C()) {
                    throw new AssertionError(ref.getKey() + " is damaged");
                }
                needed.add(ref.getKey());
            }
        }
        for (ChaosLeader leader : leaders) {
            if (leads(leader)) {
                verify(leader.job);
                for (LocalFile file : leader.files.values()) {
                    if (file.object() != null
                            && file.to() >= leader.region.start
                            && file.from() < leader.region.end
                            && store.head(file.object().getKey()) == null) {
                        throw new AssertionError(
                                file.object().getKey() + " is gone before it is published");
                    }
                }
            }
        }
        return needed;
    }

    /** What may still be adopted must be there. */
    private void verify(@Nullable ChaosJob job) {
        if (job != null) {
            for (LocalFile output : job.outputs) {
                if (output.object() != null && store.head(output.object().getKey()) == null) {
                    throw new AssertionError(
                            output.object().getKey() + " is gone before it is adopted");
                }
            }
        }
    }

    /** Ends what is under way: every region publishes, PD hears of everything. */
    void settle() {
        seal();
        leaders.forEach(leader -> leader.job = null);
        workers.clear();
        leaders.forEach(leader -> leader.waiting = null);
        leaders.forEach(this::giveUp);
        quiet = true;
        held.clear();
        for (int round = 0; round < 2; round++) {
            clock.advanceMillis(3_600_000);
            for (ChaosLeader leader : List.copyOf(leaders)) {
                if (leads(leader)) {
                    leader.split = null;
                    leader.splitStored = false;
                    leader.draft = null;
                    leader.stored = null;
                    write(leader);
                    for (int i = 0; i < 40; i++) {
                        publish(leader);
                        adoptChildren(leader);
                    }
                    leader.split = null;
                    leader.draft = null;
                    leader.stored = null;
                    clock.advanceMillis(600_000);
                }
            }
            leaders.forEach(this::report);
        }
    }
}
