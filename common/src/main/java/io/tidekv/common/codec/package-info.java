/**
 * Byte encodings that keep the order of what they encode, and the variable-length numbers inside
 * TiKV's records. Stateless; safe from any thread. Malformed input gives a {@link
 * io.tidekv.common.codec.CodecException}, never anything else.
 */
@NullMarked
package io.tidekv.common.codec;

import org.jspecify.annotations.NullMarked;
