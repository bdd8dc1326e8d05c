package io.tidekv.house;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.lang.ArchRule;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * Data walks one way: edge, service, core and storage. Nothing points back, and core does no I/O.
 */
class LayersTest {
    private static JavaClasses classes;

    @BeforeAll
    static void load() {
        classes =
                new ClassFileImporter()
                        .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
                        .withImportOption(location -> !location.contains("/io/tidekv/proto/"))
                        .importPackages("io.tidekv");
    }

    @Test
    void coreDecidesAndDoesNothing() {
        check(
                noClasses()
                        .that()
                        .resideInAPackage("..core..")
                        .should()
                        .dependOnClassesThat()
                        .resideInAnyPackage(
                                "io.grpc..",
                                "io.netty..",
                                "java.nio.file..",
                                "java.nio.channels..",
                                "java.net..",
                                "org.rocksdb..",
                                "org.apache.ratis..",
                                "software.amazon..")
                        .orShould()
                        .dependOnClassesThat()
                        .haveNameMatching(
                                "java\\.util\\.concurrent\\.(Executor.*|.*ThreadPool.*|CompletableFuture|locks\\..*)")
                        .orShould()
                        .dependOnClassesThat()
                        .haveNameMatching("java\\.lang\\.Thread"));
    }

    @Test
    void coreKnowsNoOuterLayer() {
        check(
                noClasses()
                        .that()
                        .resideInAPackage("..core..")
                        .should()
                        .dependOnClassesThat()
                        .resideInAnyPackage(
                                "io.tidekv..grpc..",
                                "io.tidekv..http..",
                                "io.tidekv..server..",
                                "io.tidekv..service..",
                                "io.tidekv..storage..",
                                "io.tidekv..ratis.."));
    }

    @Test
    void storageKnowsNoEdge() {
        check(
                noClasses()
                        .that()
                        .resideInAnyPackage(
                                "io.tidekv..storage..",
                                "io.tidekv.objects.store..",
                                "io.tidekv.compute.tablet..",
                                "io.tidekv.compute.engine..")
                        .should()
                        .dependOnClassesThat()
                        .resideInAnyPackage(
                                "io.tidekv..grpc..",
                                "io.tidekv..http..",
                                "io.tidekv..server..",
                                "io.tidekv..service.."));
    }

    @Test
    void servicesKnowNoEdge() {
        check(
                noClasses()
                        .that()
                        .resideInAPackage("io.tidekv.wal.service..")
                        .should()
                        .dependOnClassesThat()
                        .resideInAnyPackage("io.tidekv.wal.grpc..", "io.tidekv.wal.server.."));
    }

    @Test
    void keyValueLayersSeeOnlyTheEngine() {
        check(
                noClasses()
                        .that()
                        .resideInAnyPackage("io.tidekv.compute.mvcc..")
                        .should()
                        .dependOnClassesThat()
                        .resideInAnyPackage(
                                "org.rocksdb..",
                                "io.tidekv.compute.tablet..",
                                "io.tidekv.compute.region..",
                                "io.tidekv.wal.."));
    }

    @Test
    void regionsKnowTheirLogOnlyAsRegionLog() {
        check(
                noClasses()
                        .that()
                        .resideInAPackage("io.tidekv.compute.region")
                        .and()
                        .haveNameNotMatching(".*\\.(RegionLoop|Outbox|StoreOptions)")
                        .should()
                        .dependOnClassesThat()
                        .resideInAPackage("io.tidekv.compute.region.core"));
    }

    @Test
    void processesMeetOnlyOverTheWire() {
        check(
                noClasses()
                        .that()
                        .resideInAPackage("io.tidekv.pd..")
                        .should()
                        .dependOnClassesThat()
                        .resideInAnyPackage(
                                "io.tidekv.wal..", "io.tidekv.compute..", "io.tidekv.objects.."));
        check(
                noClasses()
                        .that()
                        .resideInAPackage("io.tidekv.wal..")
                        .should()
                        .dependOnClassesThat()
                        .resideInAnyPackage("io.tidekv.pd..", "io.tidekv.compute.."));
    }

    @Test
    void walNodesOnlyArchive() {
        check(
                noClasses()
                        .that()
                        .resideInAPackage("io.tidekv.wal..")
                        .and()
                        .resideOutsideOfPackages(
                                "io.tidekv.wal.archive..", "io.tidekv.wal.server..")
                        .should()
                        .dependOnClassesThat()
                        .resideInAnyPackage("io.tidekv.objects.."));
        check(
                noClasses()
                        .that()
                        .resideInAPackage("io.tidekv.wal..")
                        .should()
                        .dependOnClassesThat()
                        .resideInAnyPackage(
                                "io.tidekv.objects.upload..",
                                "io.tidekv.objects.hydrate..",
                                "io.tidekv.objects.gc..",
                                "io.tidekv.objects.restore..",
                                "io.tidekv.objects.worker.."));
    }

    private static void check(ArchRule rule) {
        rule.allowEmptyShould(true).check(classes);
    }
}
