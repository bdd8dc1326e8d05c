package io.tidekv.objects.gc;

import io.tidekv.objects.gc.ChaosRegion.LocalFile;
import io.tidekv.proto.region.ObjectRef;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * A compaction that a worker does for a leader of a {@link ChaosCluster}. The worker goes on
 * whatever has become of the leader.
 */
final class ChaosJob {
    final ChaosLeader owner;

    /** The record that was current when the job began. */
    final ObjectRef since;

    final Map<Long, LocalFile> inputs;
    final List<LocalFile> outputs = new ArrayList<>();

    /** While the record that names the outputs is prepared and proposed: by local number. */
    final Map<Long, LocalFile> adopted = new TreeMap<>();

    ChaosJob(ChaosLeader owner, ObjectRef since, Map<Long, LocalFile> inputs) {
        this.owner = owner;
        this.since = since;
        this.inputs = new TreeMap<>(inputs);
    }

    /** Whether the leader may still name the outputs. */
    boolean isOpen() {
        return owner.job == this && owner.leads();
    }

    /** Whether the leader still has what the outputs are in place of. */
    boolean fits() {
        return inputs.values().stream()
                .allMatch(input -> input.equals(owner.files.get(input.number())));
    }

    /** The outputs get numbers of the leader's, in place of the inputs. */
    Map<Long, LocalFile> adopt() {
        for (LocalFile output : outputs) {
            long number = owner.nextFile++;
            adopted.put(number, new LocalFile(number, output.from(), output.to(), output.object()));
        }
        return place(owner.files);
    }

    /** The files with the outputs in place of the inputs. */
    Map<Long, LocalFile> place(Map<Long, LocalFile> files) {
        Map<Long, LocalFile> placed = new TreeMap<>(files);
        placed.keySet().removeAll(inputs.keySet());
        placed.putAll(adopted);
        return placed;
    }
}
