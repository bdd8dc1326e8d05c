package io.tidekv.objects.store;

import io.tidekv.common.Threads;
import java.time.Duration;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.AwsCredentialsProvider;
import software.amazon.awssdk.auth.credentials.AwsSessionCredentials;
import software.amazon.awssdk.auth.credentials.DefaultCredentialsProvider;
import software.amazon.awssdk.auth.credentials.ProfileCredentialsProvider;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.awscore.retry.AwsRetryStrategy;
import software.amazon.awssdk.core.checksums.RequestChecksumCalculation;
import software.amazon.awssdk.core.checksums.ResponseChecksumValidation;
import software.amazon.awssdk.http.apache5.Apache5HttpClient;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.s3.S3ClientBuilder;
import software.amazon.awssdk.services.s3.S3Configuration;

/**
 * Builds AWS clients. The client does not retry and adds no checksums of its own: the store does
 * both, in a way that stores other than AWS understand (plain headers with known checksums, no
 * trailers, no chunked signing).
 */
final class S3Clients {
    private static final Duration CONNECT = Duration.ofSeconds(3);
    private static final Duration SILENCE = Duration.ofSeconds(8);
    private static final int CONNECTIONS = 64;

    private S3Clients() {}

    /** A client and the timer thread that ends its calls at their deadlines. */
    record Opened(S3Client client, ScheduledThreadPoolExecutor timers) implements AutoCloseable {
        @Override
        public void close() {
            client.close();
            timers.shutdownNow();
        }
    }

    static Opened open(S3Location location) {
        ScheduledThreadPoolExecutor timers = Threads.timers("s3-timer");
        timers.setKeepAliveTime(30, TimeUnit.SECONDS);
        timers.allowCoreThreadTimeOut(true);
        S3ClientBuilder builder =
                S3Client.builder()
                        .httpClientBuilder(
                                Apache5HttpClient.builder()
                                        .maxConnections(CONNECTIONS)
                                        .connectionTimeout(CONNECT)
                                        .connectionAcquisitionTimeout(SILENCE)
                                        .socketTimeout(SILENCE)
                                        .connectionMaxIdleTime(Duration.ofSeconds(20))
                                        .tcpKeepAlive(true))
                        .serviceConfiguration(
                                S3Configuration.builder().chunkedEncodingEnabled(false).build())
                        .forcePathStyle(location.pathStyle())
                        .requestChecksumCalculation(RequestChecksumCalculation.WHEN_REQUIRED)
                        .responseChecksumValidation(ResponseChecksumValidation.WHEN_REQUIRED)
                        .credentialsProvider(credentials(location))
                        .overrideConfiguration(
                                o ->
                                        o.retryStrategy(AwsRetryStrategy.doNotRetry())
                                                .scheduledExecutorService(timers));
        if (location.endpoint() != null) {
            builder.endpointOverride(location.endpoint());
        }
        if (location.region() != null) {
            builder.region(Region.of(location.region()));
        } else if (location.endpoint() != null) {
            builder.region(Region.US_EAST_1);
        }
        return new Opened(builder.build(), timers);
    }

    private static AwsCredentialsProvider credentials(S3Location location) {
        S3Location.Keys keys = location.keys();
        if (keys != null) {
            return StaticCredentialsProvider.create(
                    keys.session() == null
                            ? AwsBasicCredentials.create(keys.access(), keys.secret())
                            : AwsSessionCredentials.create(
                                    keys.access(), keys.secret(), keys.session()));
        }
        return location.profile() == null
                ? DefaultCredentialsProvider.builder().build()
                : ProfileCredentialsProvider.create(location.profile());
    }
}
