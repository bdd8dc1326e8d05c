/**
 * Real processes under a storm: clients work while roles are killed, paused, cut off from each
 * other, moved and split, and judges look at all that the clients have seen. One seed decides the
 * order of the faults; the processes' own timing is theirs.
 */
package io.tidekv.it.storm;
