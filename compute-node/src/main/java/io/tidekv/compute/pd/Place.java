package io.tidekv.compute.pd;

/**
 * The store that leads a region, as PD knows it.
 *
 * @param address host:port for gRPC
 */
public record Place(long storeId, String address) {}
