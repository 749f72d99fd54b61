// Contends for a lock, or campaigns, with etcd's own client: what libetcd3 has to agree with.
//
//	interop lock ENDPOINT NAME COUNT WHO HISTORY
//	interop elect ENDPOINT NAME VALUE
//
// "lock" writes HISTORY/WHO-<n>/in and …/out each time it has the lock, both guarded by it, with the fencing token.
// "elect" says "elected" once it leads, and resigns when its input ends.
package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"os"
	"strconv"
	"time"

	"go.etcd.io/etcd/api/v3/etcdserverpb"
	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/client/v3/concurrency"
)

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func main() {
	log.SetFlags(0)
	if len(os.Args) < 5 {
		log.Fatal("see the comment in main.go")
	}
	client, err := clientv3.New(clientv3.Config{Endpoints: []string{os.Args[2]}, DialTimeout: 5 * time.Second})
	must(err)
	defer client.Close()
	session, err := concurrency.NewSession(client, concurrency.WithTTL(30))
	must(err)
	defer session.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	switch os.Args[1] {
	case "lock":
		contend(ctx, client, session)
	case "elect":
		campaign(ctx, session)
	default:
		log.Fatal("see the comment in main.go")
	}
}

func contend(ctx context.Context, client *clientv3.Client, session *concurrency.Session) {
	name, who, history := os.Args[3], os.Args[5], os.Args[6]
	count, err := strconv.Atoi(os.Args[4])
	must(err)
	mutex := concurrency.NewMutex(session, name)
	for n := 0; n < count; n++ {
		must(mutex.Lock(ctx))
		owns := mutex.IsOwner()
		token := (*etcdserverpb.Compare)(&owns).GetCreateRevision()
		for _, step := range []string{"in", "out"} {
			key := fmt.Sprintf("%s/%s-%d/%s", history, who, n, step)
			done, err := client.Txn(ctx).If(owns).Then(clientv3.OpPut(key, strconv.FormatInt(token, 10))).Commit()
			must(err)
			if !done.Succeeded {
				log.Fatalf("%s: the lock is not held", key)
			}
		}
		must(mutex.Unlock(ctx))
	}
}

func campaign(ctx context.Context, session *concurrency.Session) {
	election := concurrency.NewElection(session, os.Args[3])
	must(election.Campaign(ctx, os.Args[4]))
	fmt.Println("elected")
	_, err := io.ReadAll(os.Stdin)
	must(err)
	must(election.Resign(ctx))
}
