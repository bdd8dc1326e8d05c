package io.tidekv.objects.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidekv.objects.store.ObjectStoreException.Kind;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ObjectStoresTest {
    @TempDir Path temp;

    @Test
    void refusesWrongUrisInOneLineThatNamesTheRemedy() {
        List<String> wrong =
                List.of(
                        "",
                        "/data",
                        "http://x",
                        "file:",
                        "file://host/dir",
                        "file:a\0b",
                        "s3:bucket",
                        "s3://",
                        "s3://UPPER",
                        "s3://bucket/a//b",
                        "s3://bucket/../x",
                        "s3://bucket?endpoint=localhost:9000",
                        "s3://bucket?endpoint=http://",
                        "s3://bucket?endpoint=ht tp://x",
                        "s3://bucket?path-style=yes",
                        "s3://bucket?path-style",
                        "s3://bucket?access-key=a",
                        "s3://bucket?secret-key=hush",
                        "s3://bucket?access-key=a&secret-key=hush&profile=p",
                        "s3://bucket?secret-key=%zzhush",
                        "s3://bucket?region=a&region=b",
                        "s3://bucket?secretkey=hush");
        for (String uri : wrong) {
            assertThatThrownBy(() -> ObjectStores.open(uri))
                    .as(uri)
                    .isInstanceOfSatisfying(
                            ObjectStoreException.class,
                            e -> {
                                assertThat(e.kind()).isEqualTo(Kind.INVALID);
                                assertThat(e.getMessage())
                                        .startsWith("bad object store URI")
                                        .doesNotContain("hush", "\n")
                                        .hasSizeLessThan(250);
                            });
        }
    }

    @Test
    void readsS3Uris() {
        S3Location plain = S3Location.parse("s3://bucket/a/b/");
        assertThat(plain.prefix()).isEqualTo("a/b");
        assertThat(plain.pathStyle()).isFalse();
        assertThat(plain.keys()).isNull();
        S3Location minio =
                S3Location.parse(
                        "s3://bucket?endpoint=http://127.0.0.1:9000&region=eu-1"
                                + "&access-key=k%26&secret-key=a+b/c%3D&checksums=false");
        assertThat(minio.prefix()).isEmpty();
        assertThat(minio.pathStyle()).isTrue();
        assertThat(minio.checksums()).isFalse();
        assertThat(minio.region()).isEqualTo("eu-1");
        assertThat(minio.keys()).isEqualTo(new S3Location.Keys("k&", "a+b/c=", null));
        assertThat(minio.toString() + minio.describe()).doesNotContain("a+b", "k&");
    }

    @Test
    void addressesBucketsByPathOrByHost() {
        String uri = "s3://bucket?endpoint=http://s3.example:9000&access-key=a&secret-key=b";
        assertThat(url(uri)).isEqualTo("http://s3.example:9000/bucket/x/y");
        assertThat(url(uri + "&path-style=false")).isEqualTo("http://bucket.s3.example:9000/x/y");
        assertThat(url("s3://bucket?region=eu-west-3&access-key=a&secret-key=b"))
                .isEqualTo("https://bucket.s3.eu-west-3.amazonaws.com/x/y");
    }

    private static String url(String uri) {
        try (S3Clients.Opened opened = S3Clients.open(S3Location.parse(uri))) {
            return opened.client()
                    .utilities()
                    .getUrl(r -> r.bucket("bucket").key("x/y"))
                    .toString();
        }
    }

    @Test
    void opensFolders() {
        for (String uri : List.of("file:" + temp.resolve("a"), "file://" + temp.resolve("b"))) {
            try (ObjectStore store = ObjectStores.open(uri)) {
                ObjectStores.probe(store);
                assertThat(store.describe()).startsWith("file:/");
            }
        }
    }
}
