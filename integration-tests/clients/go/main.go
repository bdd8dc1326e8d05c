// Command main drives a running cluster through the Go client: raw in mode V1TTL, transactions in mode V1, and
// both in mode V1 while regions are split and stores killed. It is built with a client of 2023 and one of 2026:
//
//	go run . raw|txn PD_ADDRESS
//	go run -modfile=current.mod -tags current . faults PD_ADDRESS KEY_PREFIX
package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"time"

	"github.com/tikv/client-go/v2/config"
	"github.com/tikv/client-go/v2/rawkv"
	"github.com/tikv/client-go/v2/txnkv"
)

func main() {
	if len(os.Args) < 3 {
		fmt.Fprintln(os.Stderr, "usage: main raw|txn|faults PD_ADDRESS [KEY_PREFIX]")
		os.Exit(2)
	}
	if os.Args[1] == "faults" {
		if err := faults(os.Args[2], os.Args[3]); err != nil {
			fmt.Println("FAILED:", err)
			os.Exit(1)
		}
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	passed := 0
	var err error
	if os.Args[1] == "raw" {
		passed, err = raw(ctx, os.Args[2])
	} else {
		passed, err = txn(ctx, os.Args[2])
	}
	if err != nil {
		fmt.Println("FAILED:", err)
		fmt.Printf("%d passed, 1 failed\n", passed)
		os.Exit(1)
	}
	fmt.Printf("%d passed, 0 failed\n", passed)
}

func raw(ctx context.Context, pd string) (int, error) {
	client, err := rawkv.NewClient(ctx, []string{pd}, config.DefaultConfig().Security)
	if err != nil {
		return 0, err
	}
	defer client.Close()
	const rows = 500
	var keys, values [][]byte
	for i := 0; i < rows; i++ {
		keys = append(keys, []byte(fmt.Sprintf("go-%04d", i)))
		values = append(values, []byte(fmt.Sprintf("value %d", i)))
	}
	for i := 0; i < 100; i++ {
		if err := client.Put(ctx, keys[i], values[i]); err != nil {
			return 0, fmt.Errorf("put: %w", err)
		}
	}
	if err := client.BatchPut(ctx, keys, values); err != nil {
		return 1, fmt.Errorf("batch put: %w", err)
	}
	for i, key := range keys {
		got, err := client.Get(ctx, key)
		if err != nil || !bytes.Equal(got, values[i]) {
			return 2, fmt.Errorf("get %q: %q %v", key, got, err)
		}
	}
	all, err := client.BatchGet(ctx, keys)
	if err != nil || len(all) != rows {
		return 3, fmt.Errorf("batch get: %d %v", len(all), err)
	}
	found, _, err := client.Scan(ctx, []byte("go-"), []byte("go."), 1000)
	if err != nil || len(found) != rows {
		return 4, fmt.Errorf("scan: %d %v", len(found), err)
	}
	back, _, err := client.ReverseScan(ctx, []byte("go."), []byte("go-"), 10)
	if err != nil || len(back) != 10 || !bytes.Equal(back[0], keys[rows-1]) {
		return 5, fmt.Errorf("reverse scan: %d %v", len(back), err)
	}
	if err := client.DeleteRange(ctx, keys[10], keys[20]); err != nil {
		return 6, fmt.Errorf("delete range: %w", err)
	}
	if found, _, err = client.Scan(ctx, []byte("go-"), []byte("go."), 1000); err != nil || len(found) != rows-10 {
		return 7, fmt.Errorf("scan after delete range: %d %v", len(found), err)
	}
	if err := client.PutWithTTL(ctx, []byte("go-ttl"), []byte("v"), 1000); err != nil {
		return 8, fmt.Errorf("put with ttl: %w", err)
	}
	ttl, err := client.GetKeyTTL(ctx, []byte("go-ttl"))
	if err != nil || ttl == nil || *ttl < 900 {
		return 9, fmt.Errorf("key ttl: %v %v", ttl, err)
	}
	client.SetAtomicForCAS(true)
	old, swapped, err := client.CompareAndSwap(ctx, []byte("go-cas"), nil, []byte("first"))
	if err != nil || !swapped {
		return 10, fmt.Errorf("compare and swap: %q %v %v", old, swapped, err)
	}
	return 11, nil
}

func txn(ctx context.Context, pd string) (int, error) {
	client, err := txnkv.NewClient([]string{pd})
	if err != nil {
		return 0, err
	}
	defer client.Close()
	for round := 0; round < 20; round++ {
		tx, err := client.Begin()
		if err != nil {
			return 1, err
		}
		for i := 0; i < 50; i++ {
			if err := tx.Set([]byte(fmt.Sprintf("gotxn-%02d", i)), []byte(fmt.Sprintf("round %d", round))); err != nil {
				return 1, err
			}
		}
		if err := tx.Commit(ctx); err != nil {
			return 1, fmt.Errorf("commit of round %d: %w", round, err)
		}
	}
	tx, err := client.Begin()
	if err != nil {
		return 2, err
	}
	for i := 0; i < 50; i++ {
		got, err := get(ctx, tx, fmt.Sprintf("gotxn-%02d", i))
		if err != nil || string(got) != "round 19" {
			return 2, fmt.Errorf("get: %q %v", got, err)
		}
	}
	it, err := tx.Iter([]byte("gotxn-"), []byte("gotxn."))
	if err != nil {
		return 3, err
	}
	rows := 0
	for it.Valid() {
		rows++
		if err := it.Next(); err != nil {
			return 3, err
		}
	}
	if rows != 50 {
		return 3, fmt.Errorf("scan: %d rows", rows)
	}
	first, _ := client.Begin()
	second, _ := client.Begin()
	_ = first.Set([]byte("gotxn-conflict"), []byte("first"))
	_ = second.Set([]byte("gotxn-conflict"), []byte("second"))
	if err := second.Commit(ctx); err != nil {
		return 4, fmt.Errorf("second of two writers: %w", err)
	}
	if err := first.Commit(ctx); err == nil {
		return 5, fmt.Errorf("a write conflict was committed")
	}
	more, err := modes(ctx, client)
	return 6 + more, err
}
