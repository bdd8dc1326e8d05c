/** The process's gRPC transports: shared event loops and the keep-alive settings of TiKV. */
@NullMarked
package io.tidekv.common.grpc;

import org.jspecify.annotations.NullMarked;
