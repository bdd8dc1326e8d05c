package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand"
	"strings"
	"sync"

	tikverr "github.com/tikv/client-go/v2/error"
	"github.com/tikv/client-go/v2/kv"
	"github.com/tikv/client-go/v2/txnkv"
	"github.com/tikv/client-go/v2/txnkv/transaction"
)

const (
	accounts = 6
	deposit  = 1000
)

// ledger moves money between accounts. Each transaction also writes a row that says what it moved, so that in
// the end the rows explain every balance, whatever became of the transactions whose outcome nobody was told.
type ledger struct {
	client *txnkv.Client
	prefix string
	mode   string

	mu    sync.Mutex
	acked map[string]bool
	modes map[string]int
}

func newLedger(ctx context.Context, client *txnkv.Client, prefix, mode string) (*ledger, error) {
	l := &ledger{client: client, prefix: prefix + "-" + mode, mode: mode,
		acked: map[string]bool{}, modes: map[string]int{}}
	tx, err := client.Begin()
	if err != nil {
		return nil, err
	}
	for i := 0; i < accounts; i++ {
		if err := tx.Set([]byte(l.account(i)), []byte(fmt.Sprint(deposit))); err != nil {
			return nil, err
		}
	}
	return l, tx.Commit(ctx)
}

func (l *ledger) account(i int) string {
	return fmt.Sprintf("%s-account-%d", l.prefix, i)
}

func (l *ledger) rows() string {
	return l.prefix + "-row-"
}

// step makes one transfer. An error says only that nobody knows whether it took place.
func (l *ledger) step(ctx context.Context, worker, n int) error {
	tx, err := l.client.Begin()
	if err != nil {
		return err
	}
	from := rand.Intn(accounts)
	to := (from + 1 + rand.Intn(accounts-1)) % accounts
	row := fmt.Sprintf("%s%d-%06d", l.rows(), worker, n)
	if err := l.transfer(ctx, tx, from, to, row); err != nil {
		_ = tx.Rollback()
		return err
	}
	tx.SetCommitCallback(func(info string, _ error) { l.note(info) })
	if err := tx.Commit(ctx); err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.acked[row] = true
	return nil
}

func (l *ledger) transfer(ctx context.Context, tx *transaction.KVTxn, from, to int, row string) error {
	var left, right int
	var err error
	switch l.mode {
	case "asynchronous":
		tx.SetEnableAsyncCommit(true)
	case "onephase":
		tx.SetEnable1PC(true)
	case "pessimistic":
		tx.SetPessimistic(true)
		balances, err := l.locked(ctx, tx, from, to)
		if err != nil {
			return err
		}
		return l.set(tx, from, to, balances[from], balances[to], row)
	}
	if left, err = l.balance(ctx, tx, from); err != nil {
		return err
	}
	if right, err = l.balance(ctx, tx, to); err != nil {
		return err
	}
	return l.set(tx, from, to, left, right, row)
}

func (l *ledger) set(tx *transaction.KVTxn, from, to, left, right int, row string) error {
	return errors.Join(
		tx.Set([]byte(l.account(from)), []byte(fmt.Sprint(left-1))),
		tx.Set([]byte(l.account(to)), []byte(fmt.Sprint(right+1))),
		tx.Set([]byte(row), []byte(fmt.Sprintf("%d %d", from, to))))
}

func (l *ledger) balance(ctx context.Context, tx *transaction.KVTxn, i int) (int, error) {
	value, err := get(ctx, tx, l.account(i))
	if err != nil {
		return 0, err
	}
	return number(value)
}

// locked locks two accounts, in one order, for a deadlock is another test's matter. What it gives may be newer than
// the transaction's start.
func (l *ledger) locked(ctx context.Context, tx *transaction.KVTxn, from, to int) (map[int]int, error) {
	balances := map[int]int{}
	for _, i := range []int{min(from, to), max(from, to)} {
		value, err := lock(ctx, l.client, tx, kv.LockAlwaysWait, l.account(i))
		if err != nil {
			return nil, err
		}
		if balances[i], err = number(value); err != nil {
			return nil, err
		}
	}
	return balances, nil
}

func number(value []byte) (int, error) {
	var n int
	_, err := fmt.Sscan(string(value), &n)
	return n, err
}

func (l *ledger) note(info string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, mode := range []string{"2pc", "async_commit", "1pc"} {
		if strings.Contains(info, `"txn_commit_mode":"`+mode+`"`) {
			l.modes[mode]++
		}
	}
}

// verify holds the balances against the rows, and the rows against what was acknowledged.
func (l *ledger) verify(ctx context.Context) error {
	tx, err := l.client.Begin()
	if err != nil {
		return err
	}
	expected := map[int]int{}
	seen := map[string]bool{}
	it, err := tx.Iter([]byte(l.rows()), []byte(l.rows()+"~"))
	if err != nil {
		return err
	}
	for it.Valid() {
		var from, to int
		if _, err := fmt.Sscan(string(it.Value()), &from, &to); err != nil {
			return fmt.Errorf("row %q is %q", it.Key(), it.Value())
		}
		seen[string(it.Key())] = true
		expected[from]--
		expected[to]++
		if err := it.Next(); err != nil {
			return err
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for row := range l.acked {
		if !seen[row] {
			return fmt.Errorf("row %s was acknowledged and is lost", row)
		}
	}
	for i := 0; i < accounts; i++ {
		got, err := l.balance(ctx, tx, i)
		if err != nil || got != deposit+expected[i] {
			return fmt.Errorf("%s: %d instead of %d: %w", l.account(i), got, deposit+expected[i], err)
		}
	}
	return l.wasUsed()
}

// wasUsed tells whether the client committed in the way that it was asked for.
func (l *ledger) wasUsed() error {
	mode := map[string]string{"asynchronous": "async_commit", "onephase": "1pc"}[l.mode]
	if mode != "" && l.modes[mode] == 0 {
		return fmt.Errorf("%s was never used: %v", mode, l.modes)
	}
	return nil
}

// total is read in one snapshot while transfers go on.
func (l *ledger) total(ctx context.Context) (int, error) {
	tx, err := l.client.Begin()
	if err != nil {
		return 0, err
	}
	sum := 0
	for i := 0; i < accounts; i++ {
		balance, err := l.balance(ctx, tx, i)
		if tikverr.IsErrNotFound(err) {
			return -1, nil
		}
		if err != nil {
			return 0, err
		}
		sum += balance
	}
	return sum, nil
}
