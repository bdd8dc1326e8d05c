package io.tidekv.objects.store;

import io.tidekv.objects.store.ObjectStore.ObjectInfo;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/**
 * Walks a folder in name order. Folders that cannot hold a wanted name are not opened; whatever is
 * no object (temporary files, foreign names, links) is passed over.
 */
final class FileLister {
    private final Path root;
    private final String prefix;
    private final String after;
    private final int limit;
    private final List<ObjectInfo> found = new ArrayList<>();

    FileLister(Path root, String prefix, String after, int limit) {
        this.root = root;
        this.prefix = prefix;
        this.after = after;
        this.limit = limit;
    }

    List<ObjectInfo> list() throws IOException {
        walk("");
        return found;
    }

    private void walk(String folder) throws IOException {
        for (String entry : entries(folder)) {
            if (found.size() >= limit) {
                return;
            }
            if (entry.endsWith("/")) {
                if (mayHold(entry)) {
                    walk(entry);
                }
            } else if (entry.startsWith(prefix) && entry.compareTo(after) > 0) {
                add(entry);
            }
        }
    }

    /** Whether a name that starts with {@code folder} can be wanted. */
    private boolean mayHold(String folder) {
        boolean underPrefix = folder.startsWith(prefix) || prefix.startsWith(folder);
        return underPrefix && (after.startsWith(folder) || folder.compareTo(after) > 0);
    }

    /** Full names in the folder, sorted; those of folders end in a slash, as they sort. */
    private List<String> entries(String folder) throws IOException {
        List<String> names = new ArrayList<>();
        try (DirectoryStream<Path> children = Files.newDirectoryStream(root.resolve(folder))) {
            for (Path child : children) {
                String name = folder + child.getFileName();
                if (!ObjectNames.isValid(name) || Files.isSymbolicLink(child)) {
                    continue;
                }
                names.add(Files.isDirectory(child) ? name + "/" : name);
            }
        } catch (NoSuchFileException | NotDirectoryException e) {
            return List.of();
        } catch (DirectoryIteratorException e) {
            throw e.getCause();
        }
        Collections.sort(names);
        return names;
    }

    private void add(String name) throws IOException {
        Path path = root.resolve(name);
        if (!Files.isRegularFile(path)) {
            return;
        }
        try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
            found.add(FileObjectStore.info(name, path, channel));
        } catch (NoSuchFileException e) {
            // Deleted while listing.
        }
    }
}
