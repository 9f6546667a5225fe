/* The noticeboard against a sequential model: whatever is read is what some prefix of the writes leaves. */
#include "host_test.h"

#include <stdio.h>
#include <string.h>

enum { KEYS = SCALED(40, 6), ABSENT = -1 };

/* ---- keys and the model ---- */

typedef struct {
    char text[16];
    size_t length;
} key;

static key
key_of(int number)
{
    key k;
    k.length = (size_t)snprintf(k.text, sizeof(k.text), "%d", number);
    memset(k.text + k.length, 0, sizeof(k.text) - k.length);
    k.length += (size_t)(number % 3); /* some end in null characters */
    return k;
}

typedef struct {
    int64_t values[KEYS];
    size_t count;
} model;

static void
model_clear(model *m)
{
    m->count = 0;
    for (int i = 0; i < KEYS; ++i)
        m->values[i] = ABSENT;
}

static void
model_set(model *m, int number, int64_t value)
{
    m->count += m->values[number] == ABSENT;
    m->values[number] = value;
    m->count -= value == ABSENT;
}

static int64_t
value_at(const rt_snapshot *snapshot, int number)
{
    key k = key_of(number);
    const rt_notice *notice = rt_snapshot_find(snapshot, k.text, k.length);

    if (!notice)
        return ABSENT;
    CHECK(notice->length == k.length && memcmp(notice->key, k.text, k.length) == 0);
    return (int64_t)notice->value.data;
}

static bool
same(const model *m, const rt_snapshot *snapshot)
{
    if (rt_snapshot_count(snapshot) != m->count)
        return false;
    for (int i = 0; i < KEYS; ++i)
        if (value_at(snapshot, i) != m->values[i])
            return false;
    return true;
}

static void
board_set(rt_board *board, int number, int64_t value)
{
    key k = key_of(number);

    if (value == ABSENT)
        CHECK_EQUAL(rt_board_remove(board, k.text, k.length), RT_OK);
    else
        CHECK_EQUAL(rt_board_put(board, k.text, k.length, test_value(value)), RT_OK);
}

/* ---- one thread ---- */

static int
add_up(const rt_notice *notice, void *context)
{
    *(int64_t *)context += (int64_t)notice->value.data;
    return 0;
}

static int
find_first(const rt_notice *notice, void *context)
{
    *(const rt_notice **)context = notice;
    return 7;
}

static void
agrees_with_a_model(uint32_t workers)
{
    enum { STEPS = SCALED(20000, 100), EARLIER = 8 };
    rt_board *board = rt_board_new(&test_host);
    rt_snapshot *earlier[EARLIER] = {0};
    static model now, then[EARLIER];
    uint64_t state = workers;

    model_clear(&now);
    for (int64_t i = 0; i < STEPS; ++i) {
        int number = (int)(test_random(&state) % KEYS), slot = (int)(i % EARLIER);
        int64_t value = test_random(&state) % 3 ? i : ABSENT, sum = 0, expected = 0;

        board_set(board, number, value);
        model_set(&now, number, value);
        if (i % 1000 == 999) {
            CHECK_EQUAL(rt_board_clear(board), RT_OK);
            model_clear(&now);
        }
        if (earlier[slot]) { /* what was taken stays as it was */
            CHECK(same(&then[slot], earlier[slot]));
            rt_snapshot_release(earlier[slot]);
        }
        earlier[slot] = rt_board_take(board);
        then[slot] = now;
        CHECK(rt_board_has(board, earlier[slot]));
        CHECK(same(&now, earlier[slot]));
        CHECK_EQUAL(rt_snapshot_each(earlier[slot], add_up, &sum), 0);
        for (int j = 0; j < KEYS; ++j)
            expected += now.values[j] == ABSENT ? 0 : now.values[j];
        CHECK_EQUAL(sum, expected);
    }
    rt_board_free(board);
    for (int i = 0; i < EARLIER; ++i) {
        CHECK(same(&then[i], earlier[i]));
        rt_snapshot_release(earlier[i]);
    }
}

static void
unchanged_entries_are_shared(uint32_t workers)
{
    rt_board *board = rt_board_new(&test_host);
    rt_snapshot *before, *after;
    const rt_notice *found = NULL;

    (void)workers;
    for (int i = 0; i < KEYS; ++i)
        board_set(board, i, i);
    before = rt_board_take(board);
    board_set(board, 0, 100);
    after = rt_board_take(board);
    CHECK(!rt_board_has(board, before) && rt_board_has(board, after));
    for (int i = 0; i < KEYS; ++i) {
        key k = key_of(i);
        const rt_notice *old = rt_snapshot_find(before, k.text, k.length);
        const rt_notice *new = rt_snapshot_find(after, k.text, k.length);
        CHECK((old == new) == (i != 0));
        CHECK((old->version == new->version) == (i != 0));
    }
    CHECK_EQUAL(rt_snapshot_each(after, find_first, &found), 7);
    CHECK(found != NULL);
    rt_snapshot_release(before);
    rt_snapshot_release(after);
    rt_board_free(board);
}

/* More references at once than the word counts. */
static void
many_references(uint32_t workers)
{
    enum { COUNT = SCALED(200000, 40) };
    rt_board *board = rt_board_new(&test_host);
    rt_snapshot *first;

    (void)workers;
    board_set(board, 1, 1);
    first = rt_board_take(board);
    for (int i = 0; i < COUNT; ++i)
        CHECK(rt_board_take(board) == first);
    for (int i = 0; i < COUNT / 2; ++i)
        rt_snapshot_release(first);
    board_set(board, 1, 2);
    CHECK_EQUAL(value_at(first, 1), 1);
    for (int i = COUNT / 2; i < COUNT; ++i)
        rt_snapshot_release(first);
    CHECK_EQUAL(test_counted().destroyed, 0);
    rt_snapshot_release(first);
    CHECK_EQUAL(test_counted().destroyed, 1);
    rt_board_free(board);
}

/* ---- many threads ---- */

enum { WRITERS = 3, WRITES = SCALED(1500, 8), MOST_WRITES = WRITERS * WRITES };

typedef struct {
    int writer, number;
    int64_t value;
} written;

/* What was written, in its order: by whoever holds the board's cown, before it is published. */
static written log_of_writes[MOST_WRITES];
static _Atomic(int64_t) logged;

static rt_runtime *the_runtime;
static rt_board *the_board;
static _Atomic(int) writers_left;

static void
write_one(rt_behavior *behavior, void *captures)
{
    written *w = captures;
    int64_t at = logged;

    (void)behavior;
    log_of_writes[at] = *w;
    logged = at + 1;
    board_set(the_board, w->number, w->value);
}

static void
write_at_once(rt_behavior *behavior, void *context)
{
    (void)context;
    test_run_here(behavior);
    rt_behavior_finish(behavior);
}

/* Some are written by a worker, some on the thread that finds the board free, as the binding does with what needs no
 * interpreter. */
static void
post(int writer, int64_t count, uint64_t *state)
{
    written w = {writer, (int)(test_random(state) % KEYS), test_random(state) % 4 ? count : ABSENT};
    rt_behavior *behavior = test_make(write_one, &w, sizeof(w), (test_argument[]){WRITE(rt_board_cown(the_board))}, 1);

    if (test_random(state) % 3)
        rt_behavior_on_ready(behavior, write_at_once, NULL);
    CHECK_EQUAL(rt_schedule(the_runtime, behavior), RT_OK);
}

typedef struct {
    test_thread thread;
    int number;
} writer;

static void
writer_main(void *context)
{
    writer *self = context;
    uint64_t state = (uint64_t)self->number;

    for (int64_t i = 0; i < WRITES; ++i)
        post(self->number, i, &state);
    --writers_left;
}

/* Follows the log: every snapshot is what some of it leaves, and never less than the one before. */
static void
reader_main(void *context)
{
    model now;
    int64_t prefix = 0;
    bool last = false;

    (void)context;
    model_clear(&now);
    while (!last) {
        rt_snapshot *snapshot;
        int64_t published;

        last = writers_left == 0;
        snapshot = rt_board_take(the_board);
        published = logged;
        while (!same(&now, snapshot) && prefix < published) {
            model_set(&now, log_of_writes[prefix].number, log_of_writes[prefix].value);
            ++prefix;
        }
        CHECK(same(&now, snapshot));
        test_point();
        CHECK(same(&now, snapshot));
        rt_snapshot_release(snapshot);
    }
}

static void
every_read_is_a_prefix(uint32_t workers)
{
    enum { READERS = 3 };
    writer writers[WRITERS];
    test_thread readers[READERS];
    int64_t next[WRITERS] = {0};
    rt_snapshot *snapshot;
    model end;

    the_runtime = test_begin(workers);
    the_board = rt_board_new(&test_host);
    logged = 0;
    writers_left = WRITERS;
    for (int i = 0; i < READERS; ++i)
        test_spawn(&readers[i], reader_main, NULL);
    for (int i = 0; i < WRITERS; ++i) {
        writers[i].number = i;
        test_spawn(&writers[i].thread, writer_main, &writers[i]);
    }
    for (int i = 0; i < WRITERS; ++i)
        test_join(&writers[i].thread);
    CHECK_EQUAL(rt_quiesce(the_runtime, -1), RT_OK);
    for (int i = 0; i < READERS; ++i)
        test_join(&readers[i]);
    CHECK_EQUAL(logged, MOST_WRITES);
    model_clear(&end);
    for (int i = 0; i < MOST_WRITES; ++i) {
        written w = log_of_writes[i];
        CHECK(w.value == ABSENT || w.value >= next[w.writer]); /* in the order of its writer */
        next[w.writer] = w.value == ABSENT ? next[w.writer] : w.value + 1;
        model_set(&end, w.number, w.value);
    }
    snapshot = rt_board_take(the_board);
    CHECK(same(&end, snapshot));
    rt_snapshot_release(snapshot);
    test_end(the_runtime);
    rt_board_free(the_board);
}

/* ---- behaviors that write and read ---- */

typedef struct {
    int number;
    int64_t expected;
} expectation;

static void
expect(rt_behavior *behavior, void *captures)
{
    expectation *e = captures;
    rt_snapshot *snapshot = rt_board_take(the_board);

    (void)behavior;
    CHECK(value_at(snapshot, e->number) >= e->expected);
    rt_snapshot_release(snapshot);
}

/* What was on the board when a behavior was scheduled, it sees. */
static void
writes_are_seen_by_what_comes_after(uint32_t workers)
{
    enum { ROUNDS = SCALED(300, 6) };
    uint64_t state = 1;

    the_runtime = test_begin(workers);
    the_board = rt_board_new(&test_host);
    for (int64_t i = 0; i < ROUNDS; ++i) {
        written w = {0, (int)(test_random(&state) % KEYS), i};

        logged = 0;
        CHECK_EQUAL(WHEN(the_runtime, write_one, &w, WRITE(rt_board_cown(the_board))), RT_OK);
        CHECK_EQUAL(rt_quiesce(the_runtime, -1), RT_OK);
        for (int j = 0; j < 3; ++j)
            CHECK_EQUAL(
                test_schedule(the_runtime, expect, &(expectation){w.number, i}, sizeof(expectation), NULL, 0, NULL),
                RT_OK);
    }
    test_end(the_runtime);
    rt_board_free(the_board);
}

TEST_MAIN({"agrees_with_a_model", agrees_with_a_model, 1},
          {"unchanged_entries_are_shared", unchanged_entries_are_shared, 1}, {"many_references", many_references, 1},
          {"every_read_is_a_prefix", every_read_is_a_prefix, 0},
          {"writes_are_seen_by_what_comes_after", writes_are_seen_by_what_comes_after, 4})
