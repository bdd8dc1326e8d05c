package io.tidekv.common.config;

import io.tidekv.common.Invariants;
import java.lang.reflect.Constructor;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.RecordComponent;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Function;

/** The keys of a settings record, in the order of its components. */
final class Schema {
    /** One key. {@code name} is its dotted name from the root on. */
    record Key(String name, RecordComponent component, Setting setting, SettingType type) {}

    /** A nested table. {@code name} is its dotted name from the root on. */
    record Table(String name, RecordComponent component, Section section, Schema schema) {}

    private final Class<?> type;
    // By the component's name: reflection gives components without equality.
    private final Map<String, Key> keys = new LinkedHashMap<>();
    private final Map<String, Table> tables = new LinkedHashMap<>();

    private Schema(Class<?> type, String prefix) {
        Invariants.check(type.isRecord(), "%s is not a record", type);
        this.type = type;
        for (RecordComponent component : type.getRecordComponents()) {
            String name = prefix + kebab(component.getName());
            Setting setting = component.getAnnotation(Setting.class);
            Section section = component.getAnnotation(Section.class);
            Invariants.check(
                    (setting == null) != (section == null),
                    "%s of %s needs one of @Setting and @Section",
                    component.getName(),
                    type);
            if (setting != null) {
                keys.put(
                        component.getName(),
                        new Key(name, component, setting, SettingType.of(component)));
            } else if (section != null) {
                Schema nested = new Schema(component.getType(), name + ".");
                tables.put(component.getName(), new Table(name, component, section, nested));
            }
        }
    }

    static Schema of(Class<?> type) {
        return new Schema(type, "");
    }

    /** Keys of this table itself. */
    List<Key> ownKeys() {
        return List.copyOf(keys.values());
    }

    List<Table> ownTables() {
        return List.copyOf(tables.values());
    }

    /** Keys of this table and of all below it, by dotted name. */
    Map<String, Key> allKeys() {
        Map<String, Key> all = new LinkedHashMap<>();
        keys.values().forEach(key -> all.put(key.name(), key));
        tables.values().forEach(table -> all.putAll(table.schema().allKeys()));
        return all;
    }

    /** Dotted names of all tables. */
    List<String> allTables() {
        List<String> all = new ArrayList<>();
        for (Table table : tables.values()) {
            all.add(table.name());
            all.addAll(table.schema().allTables());
        }
        return all;
    }

    /** Makes the record; {@code value} gives the typed value of each key. */
    Object create(Function<Key, Object> value) {
        RecordComponent[] components = type.getRecordComponents();
        Object[] arguments = new Object[components.length];
        for (int i = 0; i < components.length; i++) {
            Table table = tables.get(components[i].getName());
            arguments[i] =
                    table != null
                            ? table.schema().create(value)
                            : value.apply(
                                    Invariants.present(keys.get(components[i].getName()), "key"));
        }
        Class<?>[] types =
                Arrays.stream(components).map(RecordComponent::getType).toArray(Class<?>[]::new);
        try {
            Constructor<?> constructor = type.getDeclaredConstructor(types);
            constructor.setAccessible(true);
            return constructor.newInstance(arguments);
        } catch (InvocationTargetException e) {
            if (e.getCause() instanceof IllegalArgumentException refused) {
                throw new ConfigException(String.valueOf(refused.getMessage()), refused);
            }
            throw new IllegalStateException(e.getCause());
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Value of a component in a record of this schema. */
    static Object read(RecordComponent component, Object from) {
        try {
            component.getAccessor().setAccessible(true);
            return Invariants.present(component.getAccessor().invoke(from), component.getName());
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException(e);
        }
    }

    private static String kebab(String camel) {
        return camel.replaceAll("(?<=[a-z0-9])(?=[A-Z])", "-").toLowerCase(Locale.ROOT);
    }
}
