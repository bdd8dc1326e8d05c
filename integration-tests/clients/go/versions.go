//go:build !current

package main

import (
	"context"

	"github.com/tikv/client-go/v2/txnkv/transaction"
)

// get reads a key; this and versions_current.go hide what differs between the clients of 2023 and of today.
func get(ctx context.Context, tx *transaction.KVTxn, key string) ([]byte, error) {
	return tx.Get(ctx, []byte(key))
}
