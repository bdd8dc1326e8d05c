package io.tidekv.wal.storage;

import java.io.IOException;
import java.util.List;

/**
 * The folder of a node under repair, as its next segments see it: theirs are the only ones, and
 * carry a suffix until all of them are whole. {@link RepairSwap} then gives them their names.
 */
final class RepairFiles implements WalFiles {
    static final String SUFFIX = ".repair";

    private final WalFiles files;

    RepairFiles(WalFiles files) {
        this.files = files;
    }

    @Override
    public String location() {
        return files.location();
    }

    @Override
    public List<String> list() throws IOException {
        return files.list().stream()
                .filter(name -> name.endsWith(SUFFIX))
                .map(name -> name.substring(0, name.length() - SUFFIX.length()))
                .toList();
    }

    @Override
    public WalFile create(String name) throws IOException {
        return files.create(name + SUFFIX);
    }

    @Override
    public WalFile open(String name) throws IOException {
        return files.open(name + SUFFIX);
    }

    @Override
    public void delete(String name) throws IOException {
        files.delete(name + SUFFIX);
    }

    @Override
    public void rename(String from, String to) throws IOException {
        files.rename(from + SUFFIX, to + SUFFIX);
    }

    @Override
    public void syncFolder() throws IOException {
        files.syncFolder();
    }

    @Override
    public long usableBytes() throws IOException {
        return files.usableBytes();
    }
}
