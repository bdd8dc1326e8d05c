/**
 * Encryption of objects: a stream of chunks, each sealed with AES-256-GCM, so that any range can be
 * read and checked without the rest; docs/formats/encrypted-object.md. Pure; no threads, no I/O
 * apart from reading the master key's file.
 */
@NullMarked
package io.tidekv.objects.crypto;

import org.jspecify.annotations.NullMarked;
