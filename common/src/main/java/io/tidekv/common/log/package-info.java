/**
 * Logging: logback set up in code, so that starting reads no file. Text on stderr unless told
 * otherwise; libraries are heard from WARN on; users' keys and values are never written in clear.
 */
@NullMarked
package io.tidekv.common.log;

import org.jspecify.annotations.NullMarked;
