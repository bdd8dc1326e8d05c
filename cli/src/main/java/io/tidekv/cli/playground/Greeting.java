package io.tidekv.cli.playground;

import io.tidekv.cli.Console;
import io.tidekv.cli.server.RoleKind;
import java.util.stream.Collectors;

/** What a user reads when the playground is ready. */
final class Greeting {
    private Greeting() {}

    static void print(Console console, Plan plan, boolean deletedAtEnd) {
        String pd = plan.pdEndpoints();
        String first = plan.roles(RoleKind.PD).get(0).address();
        console.line("");
        console.line("TideKV is ready.");
        console.line("  PD            " + pd + "   (give this address to any TiKV client)");
        console.line("  compute       " + addresses(plan, RoleKind.COMPUTE));
        console.line("  WAL           " + addresses(plan, RoleKind.WAL));
        console.line("  object store  " + Secrets.hide(plan.objectStore()));
        console.line(
                "  data          "
                        + plan.data()
                        + (deletedAtEnd ? "   (temporary: deleted at the end)" : ""));
        console.line("  logs          " + plan.logDir());
        console.line("  status        http://" + first + "/pd/api/v1/status");
        console.line("");
        console.line("Try it in another terminal:");
        String flag = first.equals("127.0.0.1:2379") ? "" : " --pd " + first;
        console.line("  ./tidekv put hello world" + flag);
        console.line("  ./tidekv get hello" + flag);
        console.line("");
        console.line("Or from Java, with org.tikv:tikv-client-java:3.3.5:");
        console.line("  var conf = TiConfiguration.createRawDefault(\"" + pd + "\");");
        console.line("  var client = TiSession.create(conf).createRawClient();");
        console.line(
                "  client.put(ByteString.copyFromUtf8(\"hello\"),"
                        + " ByteString.copyFromUtf8(\"world\"));");
        console.line("");
        console.line("Ctrl-C ends it.");
    }

    private static String addresses(Plan plan, RoleKind kind) {
        return plan.roles(kind).stream().map(RoleSpec::address).collect(Collectors.joining(", "));
    }
}
