module etcd3smoke

go 1.19
