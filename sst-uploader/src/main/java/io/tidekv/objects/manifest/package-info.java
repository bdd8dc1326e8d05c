/**
 * Records: the published state of a tablet as an object or as a member of a pack. Names, framing
 * and the checks that a record must pass before anything is opened with it. No threads; reads of
 * the store only where the caller passes it.
 */
@NullMarked
package io.tidekv.objects.manifest;

import org.jspecify.annotations.NullMarked;
