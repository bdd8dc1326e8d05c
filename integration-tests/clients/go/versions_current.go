//go:build current

package main

import (
	"context"

	"github.com/tikv/client-go/v2/txnkv/transaction"
)

func get(ctx context.Context, tx *transaction.KVTxn, key string) ([]byte, error) {
	entry, err := tx.Get(ctx, []byte(key))
	return entry.Value, err
}
