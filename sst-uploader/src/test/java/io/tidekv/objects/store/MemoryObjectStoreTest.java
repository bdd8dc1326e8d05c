package io.tidekv.objects.store;

class MemoryObjectStoreTest extends ObjectStoreContract {
    @Override
    ObjectStore open() {
        return ObjectStores.open("memory:");
    }
}
