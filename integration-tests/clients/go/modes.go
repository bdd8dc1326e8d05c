package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	tikverr "github.com/tikv/client-go/v2/error"
	"github.com/tikv/client-go/v2/kv"
	"github.com/tikv/client-go/v2/txnkv"
	"github.com/tikv/client-go/v2/txnkv/transaction"
)

// modes covers asynchronous commit, one-phase commit and pessimistic transactions.
func modes(ctx context.Context, client *txnkv.Client) (int, error) {
	steps := []func(context.Context, *txnkv.Client) error{asynchronous, onePhase, counters, noWait, deadlock}
	for i, step := range steps {
		if err := step(ctx, client); err != nil {
			return i, err
		}
	}
	return len(steps), nil
}

func asynchronous(ctx context.Context, client *txnkv.Client) error {
	return writeAndRead(ctx, client, "goasync-", 10, func(tx *transaction.KVTxn) { tx.SetEnableAsyncCommit(true) })
}

func onePhase(ctx context.Context, client *txnkv.Client) error {
	return writeAndRead(ctx, client, "goone-", 3, func(tx *transaction.KVTxn) { tx.SetEnable1PC(true) })
}

func writeAndRead(ctx context.Context, client *txnkv.Client, prefix string, rows int, set func(*transaction.KVTxn)) error {
	for round := 0; round < 20; round++ {
		tx, err := client.Begin()
		if err != nil {
			return err
		}
		set(tx)
		for i := 0; i < rows; i++ {
			if err := tx.Set([]byte(prefix+strconv.Itoa(i)), []byte(strconv.Itoa(round))); err != nil {
				return err
			}
		}
		if err := tx.Commit(ctx); err != nil {
			return fmt.Errorf("%s commit of round %d: %w", prefix, round, err)
		}
		reader, err := client.Begin()
		if err != nil {
			return err
		}
		for i := 0; i < rows; i++ {
			got, err := get(ctx, reader, prefix+strconv.Itoa(i))
			if err != nil || string(got) != strconv.Itoa(round) {
				return fmt.Errorf("%s row %d after round %d: %q %w", prefix, i, round, got, err)
			}
		}
	}
	return nil
}

// lock locks a key and gives its newest value.
func lock(ctx context.Context, client *txnkv.Client, tx *transaction.KVTxn, wait int64, key string) ([]byte, error) {
	for {
		ts, err := client.GetTimestamp(ctx)
		if err != nil {
			return nil, err
		}
		lockCtx := kv.NewLockCtx(ts, wait, time.Now())
		lockCtx.InitReturnValues(1)
		err = tx.LockKeys(ctx, lockCtx, []byte(key))
		var conflict *tikverr.ErrWriteConflict
		if errors.As(err, &conflict) {
			continue
		}
		if err != nil {
			return nil, err
		}
		return lockCtx.Values[key].Value, nil
	}
}

func pessimistic(client *txnkv.Client) (*transaction.KVTxn, error) {
	tx, err := client.Begin()
	if err == nil {
		tx.SetPessimistic(true)
	}
	return tx, err
}

// counters has several transactions add to one number: with locks none of them fails.
func counters(ctx context.Context, client *txnkv.Client) error {
	const workers, rounds = 4, 10
	results := make(chan error, workers)
	var all sync.WaitGroup
	for w := 0; w < workers; w++ {
		all.Add(1)
		go func() {
			defer all.Done()
			for r := 0; r < rounds; r++ {
				if err := increment(ctx, client); err != nil {
					results <- err
					return
				}
			}
		}()
	}
	all.Wait()
	close(results)
	for err := range results {
		return fmt.Errorf("increment: %w", err)
	}
	tx, err := client.Begin()
	if err != nil {
		return err
	}
	got, err := get(ctx, tx, "gocounter")
	if err != nil || string(got) != strconv.Itoa(workers*rounds) {
		return fmt.Errorf("counter: %q %w", got, err)
	}
	return nil
}

func increment(ctx context.Context, client *txnkv.Client) error {
	tx, err := pessimistic(client)
	if err != nil {
		return err
	}
	before, err := lock(ctx, client, tx, kv.LockAlwaysWait, "gocounter")
	if err != nil {
		_ = tx.Rollback()
		return err
	}
	n, _ := strconv.Atoi(string(before))
	if err := tx.Set([]byte("gocounter"), []byte(strconv.Itoa(n+1))); err != nil {
		return err
	}
	return tx.Commit(ctx)
}

func noWait(ctx context.Context, client *txnkv.Client) error {
	holder, err := pessimistic(client)
	if err != nil {
		return err
	}
	defer func() { _ = holder.Rollback() }()
	if _, err := lock(ctx, client, holder, kv.LockAlwaysWait, "gonowait"); err != nil {
		return err
	}
	other, err := pessimistic(client)
	if err != nil {
		return err
	}
	defer func() { _ = other.Rollback() }()
	if _, err := lock(ctx, client, other, kv.LockNoWait, "gonowait"); !errors.Is(err, tikverr.ErrLockAcquireFailAndNoWaitSet) {
		return fmt.Errorf("a locked key without waiting: %w", err)
	}
	return nil
}

// deadlock has two transactions wait for each other: one of them is told, the other goes on.
func deadlock(ctx context.Context, client *txnkv.Client) error {
	first, err := pessimistic(client)
	if err != nil {
		return err
	}
	second, err := pessimistic(client)
	if err != nil {
		return err
	}
	if _, err := lock(ctx, client, first, kv.LockAlwaysWait, "godead-a"); err != nil {
		return err
	}
	if _, err := lock(ctx, client, second, kv.LockAlwaysWait, "godead-b"); err != nil {
		return err
	}
	told := make(chan error, 2)
	cross := func(tx *transaction.KVTxn, key string) {
		_, err := lock(ctx, client, tx, kv.LockAlwaysWait, key)
		if err != nil {
			_ = tx.Rollback()
		} else {
			err = tx.Commit(ctx)
		}
		told <- err
	}
	go cross(first, "godead-b")
	go cross(second, "godead-a")
	one, other := <-told, <-told
	var found *tikverr.ErrDeadlock
	if !errors.As(one, &found) && !errors.As(other, &found) {
		return fmt.Errorf("no deadlock was told: %v, %v", one, other)
	}
	if one != nil && other != nil {
		return fmt.Errorf("both transactions failed: %v, %v", one, other)
	}
	return nil
}
