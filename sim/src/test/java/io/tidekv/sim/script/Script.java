package io.tidekv.sim.script;

import io.tidekv.proto.region.VoterConfig;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Runs a script: comments, and blocks of commands with what they are expected to show after a line
 * of dashes. The commands are listed in docs/testing.md.
 */
final class Script {
    private static final String DASHES = "----";

    private final ScriptWorld world = new ScriptWorld();

    /** The text with what has really been seen in place of what is expected. */
    static String replay(String text) {
        Script script = new Script();
        StringBuilder replayed = new StringBuilder();
        boolean expecting = false;
        for (String line : text.split("\n", -1)) {
            if (line.equals(DASHES)) {
                expecting = true;
                replayed.append(line).append('\n');
                script.world.heard().forEach(heard -> replayed.append(heard).append('\n'));
            } else if (!expecting || line.isEmpty()) {
                expecting &= !line.isEmpty();
                replayed.append(line).append('\n');
                if (!line.isEmpty() && !line.startsWith("#")) {
                    script.run(line);
                }
            }
        }
        replayed.setLength(replayed.length() - 1);
        return replayed.toString();
    }

    private void run(String line) {
        String[] words = line.trim().split("[ ,:{}]+");
        try {
            switch (words[0]) {
                case "nodes" ->
                        world.nodes(
                                Integer.parseInt(words[1]),
                                Integer.parseInt(words[words.length > 3 ? 3 : 1]));
                case "log" -> log(words);
                case "settle" -> world.settle(words.length > 1);
                case "pass" -> world.pass(Long.parseLong(words[1]));
                case "clock" -> world.clock.advanceMillis(Long.parseLong(words[1]));
                case "deliver" -> deliver(words);
                case "hold" -> world.delay(world.store(words[1]), world.node(words[2]));
                case "late" -> world.arrive(world.store(words[1]), world.node(words[2]));
                case "rot" -> world.rot(world.node(words[1]), Long.parseLong(words[3]));
                case "crash" -> world.crash(world.node(words[1]));
                case "start" -> world.start(world.node(words[1]));
                case "empty" -> world.replaceFolder(words[1]);
                case "cut" -> links(words, false);
                case "join" -> links(words, true);
                case "kill" -> world.killStore(words[1]);
                case "restart" -> world.startStore(words[1]);
                case "show" -> world.show();
                case "pd" -> world.pdLearns(world.store(words[2]).leader().config());
                default -> store(world.store(words[0]), words);
            }
        } catch (IndexOutOfBoundsException | NumberFormatException e) {
            throw new IllegalArgumentException("cannot read: " + line, e);
        }
    }

    private void deliver(String[] words) {
        ScriptStore store = world.store(words[1]);
        if (words.length > 3) {
            world.deliverAndCrash(store, world.node(words[2]));
        } else {
            world.deliver(store, world.node(words[2]));
        }
    }

    private void log(String[] words) {
        List<Long> terms = new ArrayList<>();
        for (String term : Arrays.copyOfRange(words, 4, words.length)) {
            terms.add(Long.parseLong(term));
        }
        world.node(words[1]).given(Long.parseLong(words[3]), terms, world.config());
    }

    private void links(String[] words, boolean up) {
        ScriptStore store = world.store(words[1]);
        for (String name : Arrays.copyOfRange(words, 2, words.length)) {
            long walId = Long.parseLong(name.substring(1));
            if (up) {
                store.connect(walId);
            } else {
                store.disconnect(walId);
            }
        }
    }

    private void store(ScriptStore store, String[] words) {
        switch (words[1]) {
            case "leads" -> store.lead(Long.parseLong(words[3]), world.config(), words.length == 4);
            case "writes" -> {
                for (String text : Arrays.copyOfRange(words, 2, words.length)) {
                    world.say(store.name + " writes " + text + " " + store.write(text));
                }
            }
            case "reads" -> world.say(store.name + " reads " + store.read());
            case "confirmed" ->
                    world.say("confirmed: " + store.confirmed(Long.parseLong(words[2])));
            case "publishes" -> store.publish();
            case "ticks" -> store.tick();
            case "releases" -> store.leader().beginRelease(store.now());
            case "sleeps" -> store.asleep = true;
            case "wakes" -> {
                store.asleep = false;
                store.slept(words.length > 3 ? Long.parseLong(words[3]) : 0);
            }
            case "hangs" -> store.stuck = true;
            case "changes" -> {
                VoterConfig.Builder target = VoterConfig.newBuilder();
                target.setGeneration(Long.parseLong(words[3]));
                for (String name : Arrays.copyOfRange(words, 4, words.length)) {
                    target.addWalIds(Long.parseLong(name.substring(1)));
                }
                store.leader().changeVoters(target.build(), List.of());
            }
            default -> throw new IllegalArgumentException("what is " + words[1]);
        }
        world.tellAll();
    }
}
