package io.tidekv.compute.tablet.table;

/** The end of a table file is damaged, or of a format that we do not read. */
public final class UnknownTable extends RuntimeException {
    private static final long serialVersionUID = 1L;

    UnknownTable(String problem) {
        super(problem);
    }
}
