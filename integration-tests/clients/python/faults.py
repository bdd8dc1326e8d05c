"""Writes in every way that the client has while somebody splits regions and kills stores, and checks what was
acknowledged."""

import asyncio
import sys
import time

from tikv_client.asynchronous import RawClient, TransactionClient

WORKERS = 2  # of each kind, but for pessimistic transactions: the client does not repeat when a wait for a lock ends
ENOUGH = 20  # operations of each kind between two faults
READINGS = 20  # attempts: the client gives up before a dead transaction's locks have had their time
PATIENCE = 100  # seconds
STUCK = 20  # seconds for one operation: the client has no time-out of its own
PACE = 0.005  # leaves the machine to the servers and to whoever makes the faults
ACCOUNTS = 6
DEPOSIT = 1000


class Wrong(Exception):
    """An answer that must not be; every other exception leaves open what has become of a write."""


class Kind:
    """One way to write, and what was acknowledged."""

    workers = WORKERS

    def __init__(self, client_class, pd, prefix, name):
        self.client_class = client_class
        self.pd = pd
        self.name = name
        self.prefix = b"%s-%s-" % (prefix.encode(), name.encode())
        self.acked = set()
        self.failed = 0
        self.last = None

    async def connect(self):
        self.client = await self.client_class.connect([self.pd])

    async def work(self, worker, stop):
        n = 0
        while not stop.is_set():
            row = self.prefix + b"row-%d-%06d" % (worker, n)
            try:
                await asyncio.wait_for(self.step(n * WORKERS + worker, row), STUCK)
                self.acked.add(row)
                await asyncio.sleep(PACE)
            except Wrong:
                raise
            except Exception as error:  # the client has one exception for every failure
                self.failed += 1
                self.last = error
                await asyncio.sleep(0.05)
            n += 1


class Raw(Kind):
    """Each key is written once and read back."""

    def __init__(self, pd, prefix):
        super().__init__(RawClient, pd, prefix, "raw")

    async def open(self):
        pass

    async def step(self, n, row):
        await self.client.put(row, b"of " + row)
        self.acked.add(row)
        got = await self.client.get(row)
        if got != b"of " + row:
            raise Wrong("%r was acknowledged and is %r" % (row, got))

    async def verify(self):
        rows = {}
        start = self.prefix
        while True:
            part = await self.client.scan(start, self.prefix + b"~", 1000)
            rows.update(part)
            if len(part) < 1000:
                break
            start = part[-1][0] + b"\0"
        for row in self.acked:
            if rows.get(row) != b"of " + row:
                raise Wrong("%r was acknowledged and is %r" % (row, rows.get(row)))


class Ledger(Kind):
    """Each transaction moves money and writes a row that says so; the rows explain every balance in the end."""

    def __init__(self, pd, prefix, pessimistic):
        super().__init__(TransactionClient, pd, prefix, "pessimistic" if pessimistic else "optimistic")
        self.pessimistic = pessimistic
        self.workers = 1 if pessimistic else WORKERS

    def account(self, i):
        return self.prefix + b"account-%d" % i

    async def open(self):
        transaction = await self.client.begin(False)
        for i in range(ACCOUNTS):
            await transaction.put(self.account(i), b"%d" % DEPOSIT)
        await transaction.commit()

    async def step(self, n, row):
        if n % 10 == 9:
            balances = await self.balances()
            if sum(balances) != ACCOUNTS * DEPOSIT:
                raise Wrong("a snapshot has %r" % balances)
        source = n % ACCOUNTS
        target = (source + 1 + n // ACCOUNTS % (ACCOUNTS - 1)) % ACCOUNTS
        transaction = await self.client.begin(self.pessimistic)
        try:
            balances = {}
            for i in sorted((source, target)):
                get = transaction.get_for_update if self.pessimistic else transaction.get
                balances[i] = int(await get(self.account(i)))
            await transaction.put(self.account(source), b"%d" % (balances[source] - 1))
            await transaction.put(self.account(target), b"%d" % (balances[target] + 1))
            await transaction.put(row, b"%d %d" % (source, target))
        except BaseException:  # a cancellation too: the client panics when an active transaction is dropped
            await transaction.rollback()
            raise
        try:
            await transaction.commit()
        except Exception:
            if self.pessimistic:  # only locks that were never prewritten go by this
                await transaction.rollback()
            raise

    async def balances(self):
        snapshot = self.client.snapshot(await self.client.current_timestamp(), False)
        return [int(await snapshot.get(self.account(i))) for i in range(ACCOUNTS)]

    async def verify(self):
        snapshot = self.client.snapshot(await self.client.current_timestamp(), False)
        rows = {}
        start = self.prefix + b"row-"
        while True:
            part = list(await snapshot.scan(start, self.prefix + b"row.", 1000))
            rows.update(part)
            if len(part) < 1000:
                break
            start = part[-1][0] + b"\0"
        lost = self.acked - set(rows)
        if lost:
            raise Wrong("acknowledged and lost: %r" % lost)
        expected = [DEPOSIT] * ACCOUNTS
        for moved in rows.values():
            source, target = map(int, moved.split())
            expected[source] -= 1
            expected[target] += 1
        got = [int(await snapshot.get(self.account(i))) for i in range(ACCOUNTS)]
        if got != expected:
            raise Wrong("balances are %r, by the rows %r" % (got, expected))


async def advance(kinds, workers):
    """Returns when every kind has had some operations acknowledged since."""
    deadline = time.monotonic() + PATIENCE
    for kind in kinds:
        target = len(kind.acked) + ENOUGH
        while len(kind.acked) < target:
            for worker in workers:
                if worker.done():
                    worker.result()
            if time.monotonic() > deadline:
                raise Wrong("%s does not get on: %d done, %d failed, at last: %s"
                            % (kind.name, len(kind.acked), kind.failed, kind.last))
            await asyncio.sleep(0.02)


async def faults(pd, prefix):
    kinds = [Raw(pd, prefix), Ledger(pd, prefix, False), Ledger(pd, prefix, True)]
    for kind in kinds:
        await kind.connect()
        await kind.open()
    stop = asyncio.Event()
    workers = [asyncio.ensure_future(kind.work(w, stop)) for kind in kinds for w in range(kind.workers)]
    loop = asyncio.get_event_loop()
    while True:
        line = (await loop.run_in_executor(None, sys.stdin.readline)).strip()
        if line in ("", "end"):
            break
        await advance(kinds, workers)
        print("ok", line, flush=True)
    stop.set()
    await asyncio.gather(*workers)
    for kind in kinds:
        for attempt in range(READINGS):
            try:
                await kind.verify()
                break
            except Wrong:
                raise
            except Exception:
                if attempt == READINGS - 1:
                    raise
        print("%s: %d acknowledged and there, %d unclear or refused (%s)"
              % (kind.name, len(kind.acked), kind.failed, kind.last), file=sys.stderr)


def run(pd, prefix):
    """Answers "ok" to each line of input when every kind of write has got on since, and to "end" after the check."""
    try:
        asyncio.get_event_loop().run_until_complete(faults(pd, prefix))
    except Exception as error:
        print("FAILED:", error, flush=True)
        return 1
    print("ok end", flush=True)
    return 0
