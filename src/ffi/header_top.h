/** @file etcd3.h
 *  libetcd3: the C interface to etcd v3.
 *
 *  Bytes     Keys and values are (pointer, length) and may hold any byte; NULL with length 0 is the
 *            empty string, and the length ETCD3_NTS says that the bytes end at their NUL; so are names
 *            of locks, elections, barriers and queues of work. All other text is NUL-terminated UTF-8:
 *            endpoints, paths, messages, names of users, roles and counters. Yes/no is `int`, 1 or 0.
 *  Time      Limits are in milliseconds. Every wait has one: the call's own or the client's.
 *  Memory    Arguments are copied before a call returns. What comes from a *_new or *_op_*, or through
 *            an out parameter `T **`, is yours: give it to its *_free, once; every *_free takes NULL.
 *            A `const` pointer that is returned is borrowed from the object it was read from and lives
 *            as long. Objects may be freed in any order: they keep what they need alive.
 *  Errors    A call that can fail returns an etcd3_code_t, ETCD3_OK being 0, and takes `err` last: NULL,
 *            or where to put an error object, which is then yours. Out parameters are written on
 *            success only, `*err` on failure only. What is wrong with an argument is found before
 *            anything is sent: ETCD3_ERR_INVALID_ARGUMENT, and the message names the argument.
 *            Accessors cannot fail: for NULL they return 0, NULL or "". Setters of builders keep the
 *            first mistake; the call that uses the builder reports it.
 *  Threads   Clients, queues, calls, cancels, watches, leases, sessions, locks, elections, observers,
 *            double barriers and ranges: any thread, any time; where only one may be at it, the other
 *            gets ETCD3_ERR_BUSY. Builders (etcd3_config_t, etcd3_op_t, etcd3_watch_opts_t): one thread
 *            until passed in, which only reads them. An etcd3_stm_t: the thread of its function. Results,
 *            events, errors and whatever else is an answer never change. An object must not be in use
 *            elsewhere while it is freed, but for a queue that is being drained. A signal ends a wait for
 *            events, not a call to the server.
 *  Events    What happens later arrives as an event in a queue: your own (etcd3_queue_new), drained on
 *            a thread of yours, or the client's, drained by a thread of the library's. Any function of
 *            this library may be called in a callback; a callback must return, not throw or longjmp.
 *  Process   One thread for all network traffic, started with the first client and joined with the
 *            last. The library's threads run with signals blocked. No signal handler, no atexit, no
 *            output. In a forked child, objects of the parent answer ETCD3_ERR_FORKED and freeing
 *            them does nothing; a new client works.
 *
 *  Generated from the library's source by `make header`; do not edit.
 */
#ifndef ETCD3_H
#define ETCD3_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** As the length of bytes: they end at their NUL, which is not one of them. */
#define ETCD3_NTS ((size_t)-1)
