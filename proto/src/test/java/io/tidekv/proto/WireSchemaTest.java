package io.tidekv.proto;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.google.protobuf.Descriptors.FileDescriptor;
import io.tidekv.proto.apipb.Apipb;
import io.tidekv.proto.authpb.Auth;
import io.tidekv.proto.backup.Brpb;
import io.tidekv.proto.coprocessor.Coprocessor;
import io.tidekv.proto.deadlock.DeadlockOuterClass;
import io.tidekv.proto.debugpb.Debugpb;
import io.tidekv.proto.disaggregated.Disaggregated;
import io.tidekv.proto.disk_usage.DiskUsageOuterClass;
import io.tidekv.proto.encryptionpb.Encryptionpb;
import io.tidekv.proto.eraftpb.Eraftpb;
import io.tidekv.proto.errorpb.Errorpb;
import io.tidekv.proto.etcdserverpb.Rpc;
import io.tidekv.proto.import_sstpb.ImportSstpb;
import io.tidekv.proto.keyspacepb.Keyspacepb;
import io.tidekv.proto.kvrpcpb.Kvrpcpb;
import io.tidekv.proto.meta_storagepb.MetaStoragepb;
import io.tidekv.proto.metapb.Metapb;
import io.tidekv.proto.mpp.Mpp;
import io.tidekv.proto.mvccpb.Kv;
import io.tidekv.proto.pdpb.Pdpb;
import io.tidekv.proto.raft_serverpb.RaftServerpb;
import io.tidekv.proto.replication_modepb.ReplicationModepb;
import io.tidekv.proto.resource_manager.ResourceManagerOuterClass;
import io.tidekv.proto.tikvpb.Tikvpb;
import io.tidekv.proto.tracepb.Tracepb;
import io.tidekv.proto.tsopb.Tsopb;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** What unmodified clients and servers of TiKV, PD and etcd speak is exactly what we compiled. */
class WireSchemaTest {
    private static final List<FileDescriptor> FILES =
            List.of(
                    Apipb.getDescriptor(),
                    Auth.getDescriptor(),
                    Brpb.getDescriptor(),
                    Coprocessor.getDescriptor(),
                    DeadlockOuterClass.getDescriptor(),
                    Debugpb.getDescriptor(),
                    Disaggregated.getDescriptor(),
                    DiskUsageOuterClass.getDescriptor(),
                    Encryptionpb.getDescriptor(),
                    Eraftpb.getDescriptor(),
                    Errorpb.getDescriptor(),
                    ImportSstpb.getDescriptor(),
                    Keyspacepb.getDescriptor(),
                    Kv.getDescriptor(),
                    Kvrpcpb.getDescriptor(),
                    MetaStoragepb.getDescriptor(),
                    Metapb.getDescriptor(),
                    Mpp.getDescriptor(),
                    Pdpb.getDescriptor(),
                    RaftServerpb.getDescriptor(),
                    ReplicationModepb.getDescriptor(),
                    ResourceManagerOuterClass.getDescriptor(),
                    Rpc.getDescriptor(),
                    Tikvpb.getDescriptor(),
                    Tracepb.getDescriptor(),
                    Tsopb.getDescriptor());

    @Test
    void everyExternalFileIsCompared() throws IOException {
        List<String> onDisk;
        try (Stream<Path> walk = Files.walk(Path.of("src/main/protobuf"))) {
            onDisk =
                    walk.filter(p -> p.toString().endsWith(".proto"))
                            .map(p -> Path.of("src/main/protobuf").relativize(p).toString())
                            .filter(p -> !p.startsWith("tidekv/"))
                            .toList();
        }
        assertThat(FILES.stream().map(FileDescriptor::getName))
                .containsExactlyInAnyOrderElementsOf(onDisk);
    }

    @Test
    void javaPackagesAreOurs() {
        assertThat(FILES)
                .allSatisfy(
                        file ->
                                assertThat(file.getOptions().getJavaPackage())
                                        .isEqualTo("io.tidekv.proto." + file.getPackage()));
    }

    @Test
    void everythingOfOursIsInTheTable() throws IOException {
        boolean present = WireTable.folder().isPresent();
        if (!present) {
            System.err.println("SKIPPED: no shared/protocol beside the repository to compare with");
        }
        assumeTrue(present, "no shared/protocol beside the repository");
        WireSchema schema = new WireSchema(WireTable.read(WireTable.folder().orElseThrow()));
        FILES.forEach(schema::compare);
        schema.expectComplete(Tikvpb.getDescriptor().findServiceByName("Tikv"));
        schema.expectComplete(Pdpb.getDescriptor().findServiceByName("PD"));
        assertThat(schema.differences()).isEmpty();
        assertThat(schema.compared()).as("facts compared").isGreaterThan(2900);
    }
}
