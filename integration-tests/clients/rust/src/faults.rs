//! Writes in every way while somebody splits regions and kills stores, and checks what was acknowledged.

use std::collections::{HashMap, HashSet};
use std::io::BufRead;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tikv_client::{
    Backoff, CheckLevel, Error, RawClient, RetryOptions, Transaction, TransactionClient, TransactionOptions,
};

use crate::Outcome;

type Failure = Box<dyn std::error::Error + Send + Sync>;

const WORKERS: usize = 2;
/// As long as a region may be without an owner, and longer.
const RETRIES: RetryOptions = RetryOptions {
    region_backoff: Backoff::no_jitter_backoff(20, 500, 60),
    lock_backoff: Backoff::no_jitter_backoff(20, 500, 60),
};
/// Operations of each kind between two faults.
const ENOUGH: usize = 20;
/// Attempts to read everything: this client gives up before a dead transaction's locks have had their time.
const READINGS: usize = 20;
const PATIENCE: Duration = Duration::from_secs(100);
/// Leaves the machine to the servers and to whoever makes the faults.
const PACE: Duration = Duration::from_millis(5);
const ACCOUNTS: usize = 6;
const DEPOSIT: i64 = 1000;

#[derive(Clone, Copy, PartialEq)]
enum Way {
    Raw,
    Optimistic,
    Pessimistic,
    Asynchronous,
    OnePhase,
}

/// One way to write, and what was acknowledged.
struct Kind {
    way: Way,
    name: &'static str,
    prefix: String,
    raw: RawClient,
    txn: TransactionClient,
    acked: Mutex<HashSet<String>>,
    failed: Mutex<(usize, String)>,
}

/// For each line of input answers "ok" when every kind of write has got on by some operations since; after "end"
/// everything is read again.
pub async fn faults(pd: &str, prefix: &str) -> Outcome {
    let raw = RawClient::new(vec![pd]).await?;
    let txn = TransactionClient::new(vec![pd]).await?;
    let mut kinds = Vec::new();
    for (way, name) in [
        (Way::Raw, "raw"),
        (Way::Optimistic, "optimistic"),
        (Way::Pessimistic, "pessimistic"),
        (Way::Asynchronous, "asynchronous"),
        (Way::OnePhase, "onephase"),
    ] {
        let kind = Kind {
            way,
            name,
            prefix: format!("{prefix}-{name}-"),
            raw: raw.clone(),
            txn: txn.clone(),
            acked: Mutex::default(),
            failed: Mutex::default(),
        };
        kind.open_accounts().await?;
        kinds.push(Arc::new(kind));
    }
    let stop = Arc::new(AtomicBool::new(false));
    let mut workers = Vec::new();
    for kind in &kinds {
        for worker in 0..if kind.alone() { 1 } else { WORKERS } {
            workers.push(tokio::spawn(work(kind.clone(), worker, stop.clone())));
        }
    }
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        if line == "end" {
            break;
        }
        advance(&kinds).await.map_err(|e| format!("after {line:?}: {e}"))?;
        println!("ok {line}");
    }
    stop.store(true, Ordering::SeqCst);
    for worker in workers {
        worker.await??;
    }
    let mut passed = 0;
    for kind in &kinds {
        kind.verify().await.map_err(|e| format!("{}: {e}", kind.name))?;
        let done = kind.done();
        passed += done;
        let failed = kind.failed.lock().unwrap().clone();
        eprintln!("{}: {done} acknowledged and there, {} unclear or refused ({})", kind.name, failed.0, failed.1);
    }
    println!("ok end");
    Ok(passed)
}

/// Returns when every kind has had some operations acknowledged since.
async fn advance(kinds: &[Arc<Kind>]) -> Result<(), String> {
    let deadline = Instant::now() + PATIENCE;
    for kind in kinds {
        let target = kind.done() + ENOUGH;
        while kind.done() < target {
            if Instant::now() > deadline {
                let failed = kind.failed.lock().unwrap();
                return Err(format!(
                    "{} does not get on: {} done, {} failed, at last: {}",
                    kind.name,
                    kind.done(),
                    failed.0,
                    failed.1
                ));
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
    Ok(())
}

/// Fails only with a wrong answer. An error of the client says that nobody knows what has become of its write.
async fn work(kind: Arc<Kind>, worker: usize, stop: Arc<AtomicBool>) -> Result<(), String> {
    let mut n = 0;
    while !stop.load(Ordering::SeqCst) {
        let key = format!("{}row-{worker}-{n:06}", kind.prefix);
        match kind.step(n * WORKERS + worker, &key).await {
            Ok(None) => {
                kind.acked.lock().unwrap().insert(key);
                tokio::time::sleep(PACE).await;
            }
            Ok(Some(wrong)) => return Err(format!("{}: {wrong}", kind.name)),
            Err(error) => {
                {
                    let mut failed = kind.failed.lock().unwrap();
                    failed.0 += 1;
                    failed.1 = error.to_string();
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
        n += 1;
    }
    Ok(())
}

impl Kind {
    fn done(&self) -> usize {
        self.acked.lock().unwrap().len()
    }

    /// Whether writers of this kind are not to meet. Who has waited for a pessimistic lock is told of a conflict, and
    /// this client does not repeat then; locks that a broken asynchronous commit leaves it does not resolve.
    fn alone(&self) -> bool {
        matches!(self.way, Way::Pessimistic | Way::Asynchronous)
    }

    fn account(&self, i: usize) -> String {
        format!("{}account-{i}", self.prefix)
    }

    async fn open_accounts(&self) -> Result<(), tikv_client::Error> {
        if self.way == Way::Raw {
            return Ok(());
        }
        let mut transaction = self.txn.begin_optimistic().await?;
        for i in 0..ACCOUNTS {
            transaction.put(self.account(i), DEPOSIT.to_string()).await?;
        }
        transaction.commit().await.map(|_| ())
    }

    /// One write; gives what is wrong, if anything.
    async fn step(&self, n: usize, row: &str) -> Result<Option<String>, Failure> {
        if self.way == Way::Raw {
            let value = format!("of {row}").into_bytes();
            self.raw.put(row.to_owned(), value.clone()).await?;
            // The write counts, whether it can be read at once or not.
            self.acked.lock().unwrap().insert(row.to_owned());
            let got = self.raw.get(row.to_owned()).await?;
            return Ok((got != Some(value)).then(|| format!("{row} was acknowledged and is {got:?}")));
        }
        if n % 10 == 9 {
            let mut reader = self.txn.begin_with_options(self.options()).await?;
            let sum = self.total(&mut reader).await;
            let _ = reader.rollback().await;
            let sum = sum?;
            if sum != DEPOSIT * ACCOUNTS as i64 {
                return Ok(Some(format!("a snapshot adds up to {sum}")));
            }
        }
        let mut transaction = self.txn.begin_with_options(self.options()).await?;
        let moved = self.transfer(&mut transaction, n, row).await;
        if let Err(error) = moved {
            let _ = transaction.rollback().await;
            return Err(error);
        }
        match transaction.commit().await {
            Ok(_) => Ok(None),
            Err(error) => {
                // This client does not resolve a lock whose transaction never locked its primary. What may have been
                // committed is not to be touched.
                if !matches!(error, Error::UndeterminedError(_)) {
                    let _ = transaction.rollback().await;
                }
                Err(error.into())
            }
        }
    }

    fn options(&self) -> TransactionOptions {
        let options = match self.way {
            Way::Pessimistic => TransactionOptions::new_pessimistic(),
            Way::Asynchronous => TransactionOptions::new_optimistic().use_async_commit(),
            Way::OnePhase => TransactionOptions::new_optimistic().try_one_pc(),
            _ => TransactionOptions::new_optimistic(),
        };
        options.drop_check(CheckLevel::None).retry_options(RETRIES)
    }

    async fn transfer(&self, transaction: &mut Transaction, n: usize, row: &str) -> Result<(), Failure> {
        let from = n % ACCOUNTS;
        let to = (from + 1 + n / ACCOUNTS % (ACCOUNTS - 1)) % ACCOUNTS;
        let mut balances = HashMap::new();
        // In one order: a deadlock is not what is looked for.
        for i in [from.min(to), from.max(to)] {
            let key = self.account(i);
            let value = match self.way {
                Way::Pessimistic => transaction.get_for_update(key).await?,
                _ => transaction.get(key).await?,
            };
            balances.insert(i, number(value)?);
        }
        transaction.put(self.account(from), (balances[&from] - 1).to_string()).await?;
        transaction.put(self.account(to), (balances[&to] + 1).to_string()).await?;
        transaction.put(row.to_owned(), format!("{from} {to}")).await?;
        Ok(())
    }

    async fn total(&self, reader: &mut Transaction) -> Result<i64, Failure> {
        let mut sum = 0;
        for i in 0..ACCOUNTS {
            sum += number(reader.get(self.account(i)).await?)?;
        }
        Ok(sum)
    }

    /// All rows, and for transactions the balances, of one snapshot.
    async fn read_all(&self) -> Result<(HashMap<String, String>, HashMap<String, i64>), Failure> {
        let range = format!("{}row-", self.prefix)..format!("{}row.", self.prefix);
        let mut rows = HashMap::new();
        let mut balances = HashMap::new();
        if self.way == Way::Raw {
            let mut from = range.start.clone();
            loop {
                let part = self.raw.scan(from.clone()..range.end.clone(), 1000).await?;
                let full = part.len() == 1000;
                for pair in part {
                    from = String::from_utf8(pair.0.into())?;
                    rows.insert(from.clone(), String::from_utf8(pair.1)?);
                }
                if !full {
                    break;
                }
                from.push('\0');
            }
        } else {
            let mut reader = self.txn.begin_with_options(self.options()).await?;
            let mut from = range.start.clone();
            loop {
                let part: Vec<_> = reader.scan(from.clone()..range.end.clone(), 1000).await?.collect();
                let full = part.len() == 1000;
                for pair in part {
                    from = String::from_utf8(pair.0.into())?;
                    rows.insert(from.clone(), String::from_utf8(pair.1)?);
                }
                if !full {
                    break;
                }
                from.push('\0');
            }
            for i in 0..ACCOUNTS {
                balances.insert(i.to_string(), number(reader.get(self.account(i)).await?)?);
            }
            reader.rollback().await?;
        }
        Ok((rows, balances))
    }

    /// Everything acknowledged is there, and the rows explain the balances.
    async fn verify(&self) -> Result<(), Failure> {
        let mut found = self.read_all().await;
        for _ in 1..READINGS {
            if found.is_ok() {
                break;
            }
            found = self.read_all().await;
        }
        let (rows, mut balances) = found?;
        for row in self.acked.lock().unwrap().iter() {
            if !rows.contains_key(row) {
                return Err(format!("{row} was acknowledged and is lost").into());
            }
        }
        if self.way == Way::Raw {
            for (key, value) in &rows {
                if *value != format!("of {key}") {
                    return Err(format!("{key} is {value}").into());
                }
            }
            return Ok(());
        }
        for moved in rows.values() {
            let (from, to) = moved.split_once(' ').ok_or("a row says nothing")?;
            *balances.get_mut(from).ok_or("no such account")? += 1;
            *balances.get_mut(to).ok_or("no such account")? -= 1;
        }
        if balances.values().any(|balance| *balance != DEPOSIT) {
            return Err(format!("without what the rows tell, balances are {balances:?}").into());
        }
        Ok(())
    }
}

fn number(value: Option<Vec<u8>>) -> Result<i64, Failure> {
    Ok(String::from_utf8(value.ok_or("an account is gone")?)?.parse()?)
}
