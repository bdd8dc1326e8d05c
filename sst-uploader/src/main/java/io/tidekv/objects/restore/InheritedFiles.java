package io.tidekv.objects.restore;

import io.tidekv.objects.manifest.ObjectKeys;
import io.tidekv.proto.manifest.ColumnFamily;
import io.tidekv.proto.manifest.TabletRecord;

/** Records of one cluster as another one writes them that reads the same files. */
final class InheritedFiles {
    private InheritedFiles() {}

    static TabletRecord of(TabletRecord record, long heirId) {
        TabletRecord.Builder heirs = record.toBuilder().setClusterId(heirId);
        for (ColumnFamily.Builder family : heirs.getColumnFamiliesBuilderList()) {
            family.getFilesBuilderList()
                    .forEach(
                            file ->
                                    file.getObjectBuilder()
                                            .setKey(
                                                    ObjectKeys.foreign(
                                                            record.getClusterId(),
                                                            file.getObject().getKey())));
        }
        return heirs.build();
    }
}
