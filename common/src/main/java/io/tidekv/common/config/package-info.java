/**
 * Settings as records: strict TOML files, command line overrides, units as types. Pure except for
 * reading the file. Values are immutable; nothing here keeps state or starts threads.
 */
@NullMarked
package io.tidekv.common.config;

import org.jspecify.annotations.NullMarked;
