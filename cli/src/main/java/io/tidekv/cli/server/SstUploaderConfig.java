package io.tidekv.cli.server;

import io.tidekv.common.config.HostPort;
import io.tidekv.common.config.Setting;

/** Settings of the worker beside the object store. */
public record SstUploaderConfig(
        @Setting(value = "file:tidekv-objects", doc = "file:DIR or s3://bucket/prefix?endpoint=…")
                String objectStore,
        @Setting(value = "127.0.0.1:20210", doc = "HTTP for /status /config /metrics /health.")
                HostPort statusAddr) {}
