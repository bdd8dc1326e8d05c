package io.tidekv.cli.bench;

import com.google.common.util.concurrent.FutureCallback;
import com.google.common.util.concurrent.Futures;
import com.google.common.util.concurrent.ListenableFuture;
import com.google.common.util.concurrent.MoreExecutors;
import com.google.protobuf.ByteString;
import io.grpc.ManagedChannel;
import io.tidekv.cli.Console;
import io.tidekv.common.grpc.GrpcTransports;
import io.tidekv.common.time.SystemClock;
import io.tidekv.proto.etcdserverpb.KVGrpc;
import io.tidekv.proto.etcdserverpb.PutRequest;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/**
 * {@code tidekv bench etcd}: the same closed loop on an etcd cluster, as a yardstick of the same
 * machine and hour.
 */
@Command(name = "etcd", description = "Closed-loop puts on an etcd cluster, to compare with.")
final class EtcdCommand implements Callable<Integer> {
    @Option(
            names = "--endpoints",
            required = true,
            split = ",",
            description = "Client addresses, host:port; clients are spread over them.")
    private List<String> endpoints = List.of();

    @Option(names = "--pids", split = ",", description = "Processes whose CPU is measured.")
    private List<Long> pids = List.of();

    @Mixin private LoadOptions load = new LoadOptions();

    private final Console console;

    EtcdCommand(Console console) {
        this.console = console;
    }

    @Override
    public Integer call() throws InterruptedException {
        load.check();
        ByteString value = load.value();
        List<ManagedChannel> channels =
                endpoints.stream()
                        .map(endpoint -> GrpcTransports.channel(endpoint).build())
                        .toList();
        try {
            List<KVGrpc.KVFutureStub> stubs = channels.stream().map(KVGrpc::newFutureStub).toList();
            AtomicInteger turn = new AtomicInteger();
            ClosedLoop.Operation put =
                    key ->
                            future(
                                    stubs.get(Math.floorMod(turn.getAndIncrement(), stubs.size()))
                                            .withDeadlineAfter(20, TimeUnit.SECONDS)
                                            .put(
                                                    PutRequest.newBuilder()
                                                            .setKey(key)
                                                            .setValue(value)
                                                            .build()));
            new ClosedLoop(put, SystemClock.INSTANCE)
                    .forSeconds(load.warmUpClients(), load.keys(), load.warmUpSeconds());
            ServerCpu cpu = ServerCpu.of("etcd", pids);
            Map<String, Double> before = cpu.read();
            ClosedLoop loop = new ClosedLoop(put, SystemClock.INSTANCE);
            ClosedLoop.Result result = loop.forSeconds(load.clients(), load.keys(), load.seconds());
            Map<String, Double> used = ServerCpu.between(before, cpu.read());
            Report report = new Report("etcd-put", load, result, used);
            console.line(load.json() ? report.json() : report.text());
            return result.errors() == 0 ? 0 : 1;
        } finally {
            channels.forEach(ManagedChannel::shutdownNow);
        }
    }

    private static <T> CompletableFuture<T> future(ListenableFuture<T> from) {
        CompletableFuture<T> to = new CompletableFuture<>();
        Futures.addCallback(
                from,
                new FutureCallback<T>() {
                    @Override
                    public void onSuccess(@Nullable T result) {
                        to.complete(result);
                    }

                    @Override
                    public void onFailure(Throwable failure) {
                        to.completeExceptionally(failure);
                    }
                },
                MoreExecutors.directExecutor());
        return to;
    }
}
