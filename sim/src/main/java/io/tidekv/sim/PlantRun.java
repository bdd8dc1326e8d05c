package io.tidekv.sim;

/** Says for each planted bug at which seed it is found first: {@code PlantRun SEEDS [PLANT]}. */
public final class PlantRun {
    private PlantRun() {}

    public static void main(String[] args) {
        long seeds = Long.parseLong(args[0]);
        for (Plant plant : Plant.values()) {
            if (plant != Plant.NONE && (args.length == 1 || plant.name().equals(args[1]))) {
                hunt(plant, seeds);
            }
        }
    }

    private static void hunt(Plant plant, long seeds) {
        long found = 0;
        String first = "";
        for (long seed = 1; seed <= seeds; seed++) {
            try {
                Simulation.run(seed, plant, false);
            } catch (AssertionError e) {
                found++;
                if (first.isEmpty()) {
                    first = String.valueOf(e.getMessage()).lines().findFirst().orElse("");
                }
            }
        }
        System.out.println(plant + ": " + found + " of " + seeds + ", first: " + first);
    }
}
