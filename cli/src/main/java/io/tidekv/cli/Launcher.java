package io.tidekv.cli;

import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** How this process was started, so that it can start others of its kind. */
public final class Launcher {
    private Launcher() {}

    /** The script that started this process, or the same JVM with the same flags. */
    public static List<String> command() {
        String script = System.getProperty("tidekv.script");
        if (script != null) {
            return List.of(script);
        }
        List<String> java = new ArrayList<>();
        java.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        ManagementFactory.getRuntimeMXBean().getInputArguments().stream()
                .filter(flag -> flag.startsWith("-X") || flag.startsWith("-D"))
                .forEach(java::add);
        java.add("-cp");
        java.add(System.getProperty("java.class.path"));
        java.add("io.tidekv.cli.Tidekv");
        return java;
    }
}
