"""Drives a running cluster through the Python client: raw and transactions, both in mode V1, then both while
regions are split and stores killed.

    python main.py raw|txn PD_ADDRESS
    python main.py faults PD_ADDRESS KEY_PREFIX
"""

import os
import sys

import faults
from tikv_client import RawClient, TransactionClient


def raw(pd):
    client = RawClient.connect([pd])
    rows = {b"py-%04d" % i: b"value %d" % i for i in range(300)}
    for key, value in list(rows.items())[:50]:
        client.put(key, value)
        yield client.get(key) == value, "get after put"
    client.batch_put(rows)
    yield dict(client.batch_get(list(rows))) == rows, "batch get"
    yield dict(client.scan(b"py-", b"py.", 1000)) == rows, "scan"
    yield client.get(b"py-absent") is None, "absent key"
    client.delete_range(b"py-0100", b"py-0200")
    yield len(client.scan_keys(b"py-", b"py.", 1000)) == 200, "delete range"


def txn(pd):
    client = TransactionClient.connect([pd])
    for round_ in range(10):
        transaction = client.begin(pessimistic=False)
        for i in range(20):
            transaction.put(b"pytxn-%02d" % i, b"round %d" % round_)
        transaction.commit()
    snapshot = client.snapshot(client.current_timestamp(), pessimistic=False)
    for i in range(20):
        yield snapshot.get(b"pytxn-%02d" % i) == b"round 9", "get of row %d" % i
    yield len(list(snapshot.scan(b"pytxn-", b"pytxn.", 100))) == 20, "scan"
    first, second = client.begin(pessimistic=False), client.begin(pessimistic=False)
    first.put(b"pytxn-conflict", b"first")
    second.put(b"pytxn-conflict", b"second")
    second.commit()
    try:
        first.commit()
        yield False, "a write conflict was committed"
    except Exception:  # the client has one exception for every failure
        yield True, "write conflict refused"


def main():
    if sys.argv[1] == "faults":
        return faults.run(sys.argv[2], sys.argv[3])
    passed = failed = 0
    for ok, what in {"raw": raw, "txn": txn}[sys.argv[1]](sys.argv[2]):
        if ok:
            passed += 1
        else:
            failed += 1
            print("FAILED:", what)
    print("%d passed, %d failed" % (passed, failed), flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    # The client's native threads outlive an orderly exit of the interpreter and then crash it now and then.
    os._exit(main())
