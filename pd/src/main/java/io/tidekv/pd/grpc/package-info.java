/**
 * What PD answers over gRPC: pdpb for TiKV's clients, tidekv.cluster for the other processes and
 * the command line, and the part of etcd that clients look at. Handlers run on the event loops,
 * never block, and refuse what another node must answer.
 */
@NullMarked
package io.tidekv.pd.grpc;

import org.jspecify.annotations.NullMarked;
