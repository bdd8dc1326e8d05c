package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tikv/client-go/v2/config"
	"github.com/tikv/client-go/v2/rawkv"
	"github.com/tikv/client-go/v2/txnkv"
)

const (
	workers = 2
	// enough operations of each kind between two faults.
	enough = 20
	// patience with one kind of operation; the client's own is 20 to 40 seconds.
	patience = 100 * time.Second
	// pace leaves the machine to the servers and to whoever makes the faults.
	pace = 5 * time.Millisecond
)

// kind is one way to write, and what was acknowledged.
type kind struct {
	name   string
	step   func(ctx context.Context, worker, n int) error
	verify func(ctx context.Context) error
	acked  atomic.Int64
	failed atomic.Int64
	last   atomic.Value
}

// faults writes in all ways while somebody splits regions and kills stores. For each line of its input it answers
// "ok" when every kind of write has got on by some operations since; after "end" it checks what was acknowledged.
func faults(pd, prefix string) error {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	client, err := txnkv.NewClient([]string{pd})
	if err != nil {
		return err
	}
	defer client.Close()
	raw, err := rawkv.NewClient(ctx, []string{pd}, config.DefaultConfig().Security)
	if err != nil {
		return err
	}
	defer raw.Close()
	rows := &rawRows{client: raw, prefix: prefix + "-raw-", acked: map[string]bool{}}
	kinds := []*kind{{name: "raw", step: rows.step, verify: rows.verify}}
	for _, mode := range []string{"optimistic", "pessimistic", "asynchronous", "onephase"} {
		l, err := newLedger(ctx, client, prefix, mode)
		if err != nil {
			return fmt.Errorf("first balances: %w", err)
		}
		kinds = append(kinds, &kind{name: mode, step: l.checkedStep, verify: l.verify})
	}
	return run(ctx, kinds)
}

func run(ctx context.Context, kinds []*kind) error {
	var all sync.WaitGroup
	var stop atomic.Bool
	wrong := make(chan error, len(kinds)*workers)
	for _, k := range kinds {
		for worker := 0; worker < workers; worker++ {
			all.Add(1)
			go func() {
				defer all.Done()
				if err := k.work(ctx, worker, &stop); err != nil {
					wrong <- fmt.Errorf("%s: %w", k.name, err)
				}
			}()
		}
	}
	in := bufio.NewScanner(os.Stdin)
	for in.Scan() && in.Text() != "end" {
		if err := advance(kinds, wrong); err != nil {
			return fmt.Errorf("after %q: %w", in.Text(), err)
		}
		fmt.Println("ok", in.Text())
	}
	stop.Store(true)
	all.Wait()
	if len(wrong) > 0 {
		return <-wrong
	}
	for _, k := range kinds {
		if err := k.verify(ctx); err != nil {
			return fmt.Errorf("%s: %w", k.name, err)
		}
		fmt.Fprintf(os.Stderr, "%s: %d acknowledged and there, %d unclear or refused (%v)\n",
			k.name, k.acked.Load(), k.failed.Load(), k.last.Load())
	}
	fmt.Println("ok end")
	return nil
}

// advance returns when every kind has had some operations acknowledged that began after the call.
func advance(kinds []*kind, wrong <-chan error) error {
	deadline := time.After(patience)
	for _, k := range kinds {
		for target := k.acked.Load() + enough; k.acked.Load() < target; {
			select {
			case err := <-wrong:
				return err
			case <-deadline:
				return fmt.Errorf("%s does not get on: %d done, %d failed, at last: %v",
					k.name, k.acked.Load(), k.failed.Load(), k.last.Load())
			case <-time.After(20 * time.Millisecond):
			}
		}
	}
	return nil
}

func (k *kind) work(ctx context.Context, worker int, stop *atomic.Bool) error {
	for n := 0; !stop.Load(); n++ {
		err := k.step(ctx, worker, n)
		switch {
		case err == nil:
			k.acked.Add(1)
			time.Sleep(pace)
		case isWrong(err):
			return err
		default:
			k.failed.Add(1)
			k.last.Store(err.Error())
			time.Sleep(50 * time.Millisecond)
		}
	}
	return nil
}

// A wrong answer, other than an error of the client.
type wrongAnswer string

func (w wrongAnswer) Error() string { return string(w) }

func isWrong(err error) bool {
	_, wrong := err.(wrongAnswer)
	return wrong
}

// checkedStep transfers, and now and then adds all balances up.
func (l *ledger) checkedStep(ctx context.Context, worker, n int) error {
	if n%10 == 9 {
		sum, err := l.total(ctx)
		if err == nil && sum != accounts*deposit {
			return wrongAnswer(fmt.Sprintf("a snapshot adds up to %d", sum))
		}
		if err != nil {
			return err
		}
	}
	return l.step(ctx, worker, n)
}

// rawRows writes each key once and reads it back.
type rawRows struct {
	client *rawkv.Client
	prefix string
	mu     sync.Mutex
	acked  map[string]bool
}

func (r *rawRows) step(ctx context.Context, worker, n int) error {
	key := fmt.Sprintf("%s%d-%06d", r.prefix, worker, n)
	if err := r.client.Put(ctx, []byte(key), []byte("of "+key)); err != nil {
		return err
	}
	r.mu.Lock()
	r.acked[key] = true
	r.mu.Unlock()
	got, err := r.client.Get(ctx, []byte(key))
	if err != nil {
		return err
	}
	if string(got) != "of "+key {
		return wrongAnswer(fmt.Sprintf("%s was acknowledged and is %q", key, got))
	}
	return nil
}

func (r *rawRows) verify(ctx context.Context) error {
	seen := map[string]string{}
	for start := []byte(r.prefix); ; {
		keys, values, err := r.client.Scan(ctx, start, []byte(r.prefix+"~"), 1000)
		if err != nil {
			return err
		}
		for i, key := range keys {
			seen[string(key)] = string(values[i])
		}
		if len(keys) < 1000 {
			break
		}
		start = append(keys[len(keys)-1], 0)
	}
	for key := range r.acked {
		if seen[key] != "of "+key {
			return fmt.Errorf("%s was acknowledged and is %q", key, seen[key])
		}
	}
	return nil
}
