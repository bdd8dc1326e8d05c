package io.tidekv.cli;

import picocli.CommandLine;
import picocli.CommandLine.Option;

/** The flag that names the cluster. */
public final class PdOption {
    @Option(
            names = "--pd",
            scope = CommandLine.ScopeType.INHERIT,
            paramLabel = "HOST:PORT",
            defaultValue = "127.0.0.1:2379",
            showDefaultValue = CommandLine.Help.Visibility.ALWAYS,
            description = "Address of PD; several are separated by commas.")
    private String endpoints = "127.0.0.1:2379";

    public String endpoints() {
        return endpoints;
    }
}
