package io.tidekv.common.config;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * One key of a settings record. The key is the component's name in kebab-case. Supported types:
 * String, boolean, int, long, double, Duration, {@link DataSize}, {@link HostPort}, Path, enums
 * (constants in kebab-case) and {@code List<String>}.
 */
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.RECORD_COMPONENT)
public @interface Setting {
    /** Default, written as on the command line; a list is separated by commas. */
    String value() default "";

    /** For the template: what it is, its unit, the meaning of 0 and its dangers. */
    String doc() default "";

    /** Never rendered. */
    boolean secret() default false;
}
