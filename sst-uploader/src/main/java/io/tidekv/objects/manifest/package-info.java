/**
 * Records: the published state of a tablet as an object. Names, framing and the checks that a
 * record must pass before anything is opened with it. Pure: no threads, no I/O.
 */
@NullMarked
package io.tidekv.objects.manifest;

import org.jspecify.annotations.NullMarked;
