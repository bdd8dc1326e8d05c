package io.tidekv.pd.log;

/**
 * Who leads.
 *
 * @param leading this node leads and has applied everything that earlier leaders had committed
 * @param epoch grows with every change of leader
 * @param leader name of the leading node; empty when none is known
 */
public record Leadership(boolean leading, long epoch, String leader) {}
