package io.tidekv.compute.region.core;

import io.tidekv.proto.wal.WalRequest;

/**
 * Where leaders and the renewer put what is to be sent. Requests to one node are delivered in this
 * order; one that cannot be delivered is followed by {@code onDisconnected} of that node. The core
 * sends to nodes only between {@code onConnected} and {@code onDisconnected}, and bounds the bytes
 * under way of each region and node itself.
 */
public interface LeaderOutbox {
    void send(long walId, WalRequest request);
}
