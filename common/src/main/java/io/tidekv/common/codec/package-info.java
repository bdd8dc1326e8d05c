/**
 * Byte encodings that keep the order of what they encode, and the variable-length numbers inside
 * TiKV's records: stateless, safe from any thread; malformed input gives a {@link
 * io.tidekv.common.codec.CodecException}, never anything else. And the joining of large log entries
 * from their parts.
 */
@NullMarked
package io.tidekv.common.codec;

import org.jspecify.annotations.NullMarked;
