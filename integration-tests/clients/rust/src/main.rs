//! Drives a running cluster through the Rust client: raw in mode V1TTL, transactions in mode V1, and both in
//! mode V1 while regions are split and stores killed.
//!
//!     cargo run -- raw|txn PD_ADDRESS
//!     cargo run -- faults PD_ADDRESS KEY_PREFIX

mod faults;

use tikv_client::{Key, RawClient, TransactionClient, Value};

type Outcome = Result<usize, Box<dyn std::error::Error>>;

#[tokio::main]
async fn main() {
    let args: Vec<String> = std::env::args().collect();
    if args.len() < 3 {
        eprintln!("usage: tidekv-rust-smoke raw|txn|faults PD_ADDRESS [KEY_PREFIX]");
        std::process::exit(2);
    }
    let outcome = match args[1].as_str() {
        "raw" => raw(&args[2]).await,
        "faults" => faults::faults(&args[2], &args[3]).await,
        _ => txn(&args[2]).await,
    };
    match outcome {
        Ok(passed) => println!("{passed} passed, 0 failed"),
        Err(error) => {
            println!("FAILED: {error}");
            println!("0 passed, 1 failed");
            std::process::exit(1);
        }
    }
}

fn check(ok: bool, what: &str) -> Result<(), String> {
    if ok {
        Ok(())
    } else {
        Err(what.to_string())
    }
}

async fn raw(pd: &str) -> Outcome {
    let client = RawClient::new(vec![pd]).await?;
    let rows: Vec<(String, String)> = (0..300)
        .map(|i| (format!("rs-{i:04}"), format!("value {i}")))
        .collect();
    for (key, value) in rows.iter().take(50) {
        client.put(key.clone(), value.clone()).await?;
        let got: Option<Value> = client.get(key.clone()).await?;
        check(got == Some(value.clone().into_bytes()), "get after put")?;
    }
    client.batch_put(rows.clone()).await?;
    let keys: Vec<String> = rows.iter().map(|(key, _)| key.clone()).collect();
    check(client.batch_get(keys).await?.len() == 300, "batch get")?;
    let all = client.scan("rs-".to_owned().."rs.".to_owned(), 300).await?;
    check(all.len() == 300, &format!("scan: {} rows", all.len()))?;
    let first: Key = all[0].0.clone();
    check(first == Key::from("rs-0000".to_owned()), "first key of the scan")?;
    client
        .delete_range("rs-0100".to_owned().."rs-0200".to_owned())
        .await?;
    let left = client.scan_keys("rs-".to_owned().."rs.".to_owned(), 200).await?;
    check(left.len() == 200, &format!("delete range: {} rows", left.len()))?;
    let deleted = client.get("rs-0150".to_owned()).await?;
    check(deleted.is_none(), "a key of the deleted range")?;
    Ok(55)
}

async fn txn(pd: &str) -> Outcome {
    let client = TransactionClient::new(vec![pd]).await?;
    for round in 0..10 {
        let mut transaction = client.begin_optimistic().await?;
        for i in 0..20 {
            transaction
                .put(format!("rstxn-{i:02}"), format!("round {round}"))
                .await?;
        }
        transaction.commit().await?;
    }
    let mut reader = client.begin_optimistic().await?;
    for i in 0..20 {
        let got = reader.get(format!("rstxn-{i:02}")).await?;
        check(got == Some(b"round 9".to_vec()), "get")?;
    }
    let rows = reader
        .scan("rstxn-".to_owned().."rstxn.".to_owned(), 100)
        .await?
        .count();
    check(rows == 20, "scan")?;
    reader.rollback().await?;
    let mut first = client.begin_optimistic().await?;
    let mut second = client.begin_optimistic().await?;
    first.put("rstxn-conflict".to_owned(), "first").await?;
    second.put("rstxn-conflict".to_owned(), "second").await?;
    second.commit().await?;
    check(first.commit().await.is_err(), "a write conflict was committed")?;
    Ok(22)
}
