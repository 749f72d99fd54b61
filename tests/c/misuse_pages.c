/* Wrong arguments to reads in parts: nothing is sent. */
#include "misuse.h"

#define OPEN_REFUSED(op, page, name) open_refused((op), (page), (name), __LINE__)
static void open_refused(etcd3_op_t *op, int64_t page, const char *name, int line)
{
    etcd3_range_t *range = NULL;
    check_code(etcd3_range_open(client, op, page, &range, &err), &err, ETCD3_ERR_INVALID_ARGUMENT, name,
               "etcd3_range_open", __FILE__, line);
    CHECK(range == NULL);
    etcd3_op_free(op);
    still_works(line);
}

static etcd3_op_t *a_get(void) { return etcd3_op_get("misuse/", ETCD3_NTS); }

int main(void)
{
    etcd3_op_t *op = a_get();
    etcd3_range_t *range = NULL;
    etcd3_result_t *result = NULL;
    client = open_client();
    REFUSED(etcd3_range_open(NULL, op, 0, &range, &err), "client");
    REFUSED(etcd3_range_open(client, NULL, 0, &range, &err), "op");
    REFUSED(etcd3_range_open(client, op, 0, NULL, &err), "range");
    REFUSED(etcd3_range_next(NULL, &result, &err), "range");
    CHECK_OK(etcd3_range_open(client, op, 0, &range, &err), err);
    REFUSED(etcd3_range_next(range, NULL, &err), "result");
    CHECK_INT(etcd3_range_next(range, NULL, NULL), ETCD3_ERR_INVALID_ARGUMENT);
    CHECK_OK(etcd3_range_next(range, &result, &err), err);
    etcd3_result_free(result);
    etcd3_range_free(range);
    etcd3_op_free(op);
    OPEN_REFUSED(a_get(), -1, "page");
    OPEN_REFUSED(a_get(), INT64_MIN, "page");
    OPEN_REFUSED(etcd3_op_get("", 0), 0, "key");
    OPEN_REFUSED(etcd3_op_get(NULL, 2), 0, "key");
    OPEN_REFUSED(etcd3_op_put("k", 1, "v", 1), 0, "op: must be a get");
    OPEN_REFUSED(etcd3_op_delete("k", 1), 0, "op: must be a get");
    OPEN_REFUSED(etcd3_op_txn(), 0, "op: must be a get");
    op = a_get();
    etcd3_op_set_count_only(op);
    OPEN_REFUSED(op, 0, "op");
    op = a_get();
    etcd3_op_set_sort(op, ETCD3_SORT_BY_VALUE, ETCD3_SORT_DESCENDING);
    OPEN_REFUSED(op, 0, "op");
    op = a_get();
    etcd3_op_set_revision(op, -1);
    OPEN_REFUSED(op, 0, "revision");
    CHECK_INT(etcd3_range_revision(NULL), 0);
    CHECK_INT(etcd3_range_total(NULL), 0);
    QUIET(etcd3_range_free(NULL));
    etcd3_client_free(client);
    return CHECK_DONE();
}
