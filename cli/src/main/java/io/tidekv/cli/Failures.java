package io.tidekv.cli;

import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.tidekv.cli.client.KvFailure;
import io.tidekv.common.config.ConfigException;
import io.tidekv.objects.archive.ArchiveException;
import io.tidekv.objects.gc.CollectionStopped;
import io.tidekv.objects.manifest.RecordDamaged;
import io.tidekv.objects.restore.RestoreRefused;
import io.tidekv.objects.store.ObjectStoreException;
import java.net.BindException;
import java.nio.file.AccessDeniedException;
import java.util.Locale;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** Turns what was thrown into the one line that a user reads. */
final class Failures {
    private Failures() {}

    /** What happened and, where it is known, what to do. */
    static String oneLine(Throwable failure) {
        for (Throwable t = failure; t != null; t = next(t)) {
            String known = known(t);
            if (known != null) {
                return flat(known);
            }
        }
        Throwable last = failure;
        for (Throwable t = failure; t != null; t = next(t)) {
            last = t;
        }
        String message = last.getMessage();
        return flat(
                message == null || message.isBlank()
                        ? "internal error: " + last.getClass().getSimpleName()
                        : message);
    }

    /** True when the line says all there is to know, so that no stack trace is wanted. */
    static boolean expected(Throwable failure) {
        for (Throwable t = failure; t != null; t = next(t)) {
            if (known(t) != null) {
                return true;
            }
        }
        return false;
    }

    private static @Nullable Throwable next(Throwable t) {
        return t.getCause() == t ? null : t.getCause();
    }

    private static @Nullable String known(Throwable t) {
        String message = Objects.requireNonNullElse(t.getMessage(), "");
        String lower = message.toLowerCase(Locale.ROOT);
        if (t instanceof CliException || t instanceof ConfigException || t instanceof KvFailure) {
            return message;
        } else if (t instanceof BindException || lower.contains("address already in use")) {
            return "a port is taken ("
                    + message
                    + "): stop what uses it, or choose other ports with --port-offset or --addr";
        } else if (lower.contains("no space left on device") || isFull(t)) {
            return "the disk is full (" + message + "): free some space, or use another --data-dir";
        } else if (lower.contains("too many open files")) {
            return "too few file descriptors: raise the limit, for instance with `ulimit -n 65536`";
        } else if (t instanceof AccessDeniedException) {
            return "no permission for " + message + ": use another --data-dir or --config";
        } else if (t instanceof ObjectStoreException
                || t instanceof ArchiveException
                || t instanceof RecordDamaged
                || t instanceof RestoreRefused
                || t instanceof CollectionStopped) {
            return message;
        } else if (t instanceof StatusRuntimeException status) {
            return remote(status.getStatus());
        }
        return null;
    }

    private static boolean isFull(Throwable t) {
        return t instanceof ObjectStoreException store
                && store.kind() == ObjectStoreException.Kind.FULL;
    }

    /** Null when the status alone does not say what happened: its cause may. */
    private static @Nullable String remote(Status status) {
        String what = Objects.requireNonNullElse(status.getDescription(), "");
        return switch (status.getCode()) {
            case UNAVAILABLE ->
                    "no answer ("
                            + what
                            + "): is the cluster running there? Start one with `./tidekv playground`,"
                            + " or give its address with --pd";
            case UNIMPLEMENTED -> "the server does not know this call: are both of one version?";
            case DEADLINE_EXCEEDED -> "no answer in time: look at `tidekv ctl status`";
            default -> what.isEmpty() ? null : what;
        };
    }

    private static String flat(String text) {
        return text.strip().replaceAll("\\s*\\R\\s*", " ");
    }
}
