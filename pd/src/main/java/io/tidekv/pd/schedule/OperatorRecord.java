package io.tidekv.pd.schedule;

/**
 * An operator that runs or has ended.
 *
 * @param description such as {@code scatter-region}, as PD's clients know it
 * @param status RUNNING, SUCCESS, TIMEOUT or CANCEL
 */
public record OperatorRecord(long regionId, String description, String status) {}
