package io.tidekv.cli.playground;

import java.io.IOException;

/** The roles of a playground, started. */
interface RunningCluster extends AutoCloseable {
    /** Process in which the role runs. */
    long pid(RoleSpec role);

    /** Why the cluster can no longer become ready; empty when it can. */
    String failure();

    /** Stops the roles in the order compute, WAL, PD. */
    @Override
    void close() throws IOException;
}
