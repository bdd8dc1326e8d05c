/** First steps with a cluster: put, get, delete, scan. */
@NullMarked
package io.tidekv.cli.shell;

import org.jspecify.annotations.NullMarked;
