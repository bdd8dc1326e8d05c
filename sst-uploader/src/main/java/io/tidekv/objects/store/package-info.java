/** The object store: one small interface and its implementations. */
@NullMarked
package io.tidekv.objects.store;

import org.jspecify.annotations.NullMarked;
