/* The noticeboard: see board.h. */
#include "board.h"

#include <stdlib.h>
#include <string.h>

#include "atomic.h"
#include "block.h"

#define FANOUT 16
#define DIGIT  4
enum { DIGITS = 64 / DIGIT }; /* levels before the key is hashed anew */

typedef struct {
    rt_notice notice; /* first: what others see of it */
    rt_atomic_u32 refs;
    const rt_host *host;
    char key[];
} entry;

typedef struct {
    rt_atomic_u32 refs;
    uint16_t entries, nodes; /* which digits have an entry, which a node below */
    void *children[];        /* of the digits that have one, in their order */
} node;

struct rt_snapshot {
    rt_atomic_u64 refs;
    const node *root; /* NULL: empty */
    size_t count;
};

#define BOARD_HOLDS (UINT64_C(1) << 32)
#define TAKEN       UINT64_C(0xffff) /* the low bits of `current` */
#ifdef RT_SYSTEMATIC
#define TAKEN_MOST UINT64_C(3)
#else
#define TAKEN_MOST UINT64_C(0x8000)
#endif

#ifdef RT_CHECKS
#define HASH_BITS UINT64_C(0xc000000000000003) /* few: tests come to deep nodes, and to keys of one hash */
#else
#define HASH_BITS UINT64_MAX
#endif

struct rt_board {
    rt_atomic_u64 current;
    const rt_host *host;
    rt_cown *cown;
    uint64_t versions; /* of entries made; its writer's */
};

/* ---- keys ---- */

static uint64_t
hash_of(const char *key, size_t length, uint32_t round)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325) + round * UINT64_C(0x9e3779b97f4a7c15);

    for (size_t i = 0; i < length; ++i)
        hash = (hash ^ (unsigned char)key[i]) * UINT64_C(0x100000001b3);
    hash = (hash ^ (hash >> 32)) * UINT64_C(0xd6e8feb86659fd93);
    return (hash ^ (hash >> 32)) & HASH_BITS;
}

/* Where a key goes, level by level. */
typedef struct {
    const char *key;
    size_t length;
    uint64_t hash;
    uint32_t level;
} path;

/* The bit of its digit; goes on to the next level. */
static uint32_t
path_next(path *at)
{
    uint32_t digit;

    if (at->level % DIGITS == 0)
        at->hash = hash_of(at->key, at->length, at->level / DIGITS);
    digit = (uint32_t)(at->hash & (FANOUT - 1));
    at->hash >>= DIGIT;
    ++at->level;
    return UINT32_C(1) << digit;
}

/* That of an entry which stands at the level of `like`. */
static path
path_beside(const entry *e, const path *like)
{
    path at = (path){e->notice.key, e->notice.length, 0, 0};

    while (at.level < like->level)
        path_next(&at);
    return at;
}

static bool
is_at(const entry *e, const path *at)
{
    return e->notice.length == at->length && memcmp(e->notice.key, at->key, at->length) == 0;
}

/* ---- entries and nodes ---- */

static entry *
entry_new(rt_board *board, const char *key, size_t length)
{
    entry *e = rt_block_new(sizeof(*e) + length);

    if (!e)
        return NULL;
    memcpy(e->key, key, length);
    e->notice = (rt_notice){.version = ++board->versions, .length = length, .key = e->key};
    e->host = board->host;
    atomic_init(&e->refs, 1);
    return e;
}

static void
entry_release(entry *e)
{
    if (rt_fetch_sub_acq_rel(&e->refs, 1u) != 1)
        return;
    if (e->notice.value.kind | e->notice.value.data)
        e->host->destroy(e->notice.value);
    rt_block_free(e, sizeof(*e) + e->notice.length);
}

static uint32_t
children_of(const node *n)
{
    return (uint32_t)__builtin_popcount((uint32_t)n->entries | n->nodes);
}

/* The place among the children of the digit with this bit. */
static uint32_t
place_of(const node *n, uint32_t bit)
{
    return (uint32_t)__builtin_popcount(((uint32_t)n->entries | n->nodes) & (bit - 1));
}

static size_t
node_size(uint32_t children)
{
    return sizeof(node) + children * sizeof(void *);
}

static node *
node_new(uint32_t children)
{
    node *n = rt_block_new(node_size(children));

    if (!n)
        return NULL;
    atomic_init(&n->refs, 1);
    n->entries = n->nodes = 0;
    return n;
}

static void
child_retain(const node *n, uint32_t bit, void *child)
{
    rt_atomic_u32 *refs = n->entries & bit ? &((entry *)child)->refs : &((node *)child)->refs;
    rt_fetch_add_relaxed(refs, 1u);
}

static void
node_release(const node *shared)
{
    node *n = (node *)(uintptr_t)shared; /* nobody else has it, if this frees it */
    uint32_t bits, place = 0;

    if (!n || rt_fetch_sub_acq_rel(&n->refs, 1u) != 1)
        return;
    for (bits = (uint32_t)n->entries | n->nodes; bits; bits &= bits - 1, ++place) {
        if (n->entries & bits & (~bits + 1))
            entry_release(n->children[place]);
        else
            node_release(n->children[place]);
    }
    rt_block_free(n, node_size(place));
}

/* What stands in a place: an entry, a node, or nothing. */
typedef struct {
    entry *e;
    node *n;
} child;

static void
child_release(child c)
{
    if (c.e)
        entry_release(c.e);
    node_release(c.n);
}

/* A copy of `from` (NULL: of an empty node) with another child, or none, in one place. Takes the child over unless
 * there is no memory: NULL. */
static node *
node_with(const node *from, uint32_t bit, child fresh)
{
    static const node nothing;
    const node *old = from ? from : &nothing;
    uint32_t before = (uint32_t)old->entries | old->nodes, after = before & ~bit, from_place = 0, place = 0;
    node *n;

    if (fresh.e || fresh.n)
        after |= bit;
    n = node_new((uint32_t)__builtin_popcount(after));
    if (!n)
        return NULL;
    n->entries = (uint16_t)((old->entries & ~bit) | (fresh.e ? bit : 0));
    n->nodes = (uint16_t)((old->nodes & ~bit) | (fresh.n ? bit : 0));
    for (uint32_t bits = before | bit; bits; bits &= bits - 1) {
        uint32_t this_bit = bits & (~bits + 1);

        if (this_bit == bit) {
            from_place += (before & bit) != 0;
            if (after & bit)
                n->children[place++] = fresh.e ? (void *)fresh.e : fresh.n;
            continue;
        }
        child_retain(old, this_bit, old->children[from_place]);
        n->children[place++] = old->children[from_place++];
    }
    return n;
}

/* ---- changing the tree; NULL: no memory, and what was given is still the caller's ---- */

/* What node_of_two made, but for the entries. */
static void
nodes_free(node *n)
{
    node *below;

    for (; n; n = below) {
        below = n->nodes ? n->children[0] : NULL;
        rt_block_free(n, node_size(children_of(n)));
    }
}

/* Both entries below a new node; takes both over. */
static node *
node_of_two(entry *a, path *a_at, entry *b, path *b_at)
{
    uint32_t a_bit = path_next(a_at), b_bit = path_next(b_at);
    node *n, *inner;

    if (a_bit == b_bit) {
        inner = node_of_two(a, a_at, b, b_at);
        n = inner ? node_with(NULL, a_bit, (child){.n = inner}) : NULL;
        if (inner && !n)
            nodes_free(inner);
        return n;
    }
    n = node_new(2);
    if (!n)
        return NULL;
    n->entries = (uint16_t)(a_bit | b_bit);
    n->children[a_bit > b_bit] = a;
    n->children[a_bit < b_bit] = b;
    return n;
}

/* The tree with this entry, which it takes over; `added` says whether there was none of that key. */
static node *
node_put(const node *old, entry *e, path *at, bool *added)
{
    uint32_t bit = path_next(at);
    child fresh = {.e = e};
    node *n;

    if (old && old->nodes & bit) {
        fresh = (child){.n = node_put(old->children[place_of(old, bit)], e, at, added)};
    } else if (old && old->entries & bit) {
        entry *there = old->children[place_of(old, bit)];

        if (!is_at(there, at)) {
            path beside = path_beside(there, at);

            rt_fetch_add_relaxed(&there->refs, 1u);
            fresh = (child){.n = node_of_two(there, &beside, e, at)};
            if (!fresh.n)
                entry_release(there);
            *added = true;
        }
    } else {
        *added = true;
    }
    if (!fresh.e && !fresh.n)
        return NULL;
    n = node_with(old, bit, fresh);
    if (!n && fresh.n) {
        rt_fetch_add_relaxed(&e->refs, 1u); /* the caller's own */
        node_release(fresh.n);
    }
    return n;
}

static const entry *
node_find(const node *n, path at)
{
    while (n) {
        uint32_t bit = path_next(&at);

        if (n->entries & bit) {
            const entry *e = n->children[place_of(n, bit)];
            return is_at(e, &at) ? e : NULL;
        }
        n = n->nodes & bit ? n->children[place_of(n, bit)] : NULL;
    }
    return NULL;
}

/* The tree without the entry that `at` leads to, which is there: into `*left`, nothing if it was the last. An entry
 * that is left alone below the root goes up. */
static int
node_remove(const node *old, path *at, bool is_root, child *left)
{
    uint32_t bit = path_next(at), others;
    child below = {0};

    if (old->nodes & bit) {
        int status = node_remove(old->children[place_of(old, bit)], at, false, &below);
        if (status != RT_OK)
            return status;
    }
    others = ((uint32_t)old->entries | old->nodes) & ~bit;
    *left = (child){0};
    if (!others && !below.n && (!below.e || !is_root)) {
        *left = below;
        return RT_OK;
    }
    if (!is_root && !below.e && !below.n && (others & (others - 1)) == 0 && old->entries & others) {
        left->e = old->children[place_of(old, others)];
        rt_fetch_add_relaxed(&left->e->refs, 1u);
        return RT_OK;
    }
    left->n = node_with(old, bit, below);
    if (left->n)
        return RT_OK;
    child_release(below);
    return RT_NO_MEMORY;
}

/* ---- snapshots ---- */

static rt_snapshot *
snapshot_new(const node *root, size_t count)
{
    rt_snapshot *snapshot = rt_block_new(sizeof(*snapshot));

    if (!snapshot)
        return NULL;
    if ((uint64_t)(uintptr_t)snapshot >> 48) { /* no room for such an address in `current` */
        rt_block_free(snapshot, sizeof(*snapshot));
        return NULL;
    }
    atomic_init(&snapshot->refs, BOARD_HOLDS);
    snapshot->root = root;
    snapshot->count = count;
    rt_snapshot_check(snapshot);
    return snapshot;
}

static inline uint64_t
word_of(const rt_snapshot *snapshot)
{
    return (uint64_t)(uintptr_t)snapshot << 16;
}

static inline rt_snapshot *
snapshot_in(uint64_t word)
{
    return (rt_snapshot *)(uintptr_t)(word >> 16);
}

static void
snapshot_free(rt_snapshot *snapshot)
{
    node_release(snapshot->root);
    rt_block_free(snapshot, sizeof(*snapshot));
}

/* What `current` held is not there any more. */
static void
retire(uint64_t word)
{
    uint64_t change = (word & TAKEN) - BOARD_HOLDS;
    rt_snapshot *snapshot = snapshot_in(word);

    if (rt_fetch_add_acq_rel(&snapshot->refs, change) + change == 0)
        snapshot_free(snapshot);
}

/* Takes over the reference to the root, unless there is no memory. */
static int
publish(rt_board *board, const node *root, size_t count)
{
    rt_snapshot *snapshot = snapshot_new(root, count);

    if (!snapshot)
        return RT_NO_MEMORY;
    retire(rt_exchange_acq_rel(&board->current, word_of(snapshot)));
    return RT_OK;
}

rt_snapshot *
rt_board_take(rt_board *board)
{
    uint64_t word = rt_fetch_add_acq_rel(&board->current, 1u) + 1;
    rt_snapshot *snapshot = snapshot_in(word);

    if ((word & TAKEN) >= TAKEN_MOST) {
        rt_fetch_add_relaxed(&snapshot->refs, word & TAKEN);
        if (!rt_cas_acq_rel(&board->current, &(uint64_t){word}, word_of(snapshot)))
            rt_fetch_sub_acq_rel(&snapshot->refs, word & TAKEN); /* not to 0: the caller's own reference is left */
    }
    return snapshot;
}

bool
rt_board_has(const rt_board *board, const rt_snapshot *snapshot)
{
    return snapshot_in(rt_load_relaxed(&((rt_board *)(uintptr_t)board)->current)) == snapshot;
}

void
rt_snapshot_release(rt_snapshot *snapshot)
{
    if (rt_fetch_sub_acq_rel(&snapshot->refs, 1u) == 1)
        snapshot_free(snapshot);
}

size_t
rt_snapshot_count(const rt_snapshot *snapshot)
{
    return snapshot->count;
}

const rt_notice *
rt_snapshot_find(const rt_snapshot *snapshot, const char *key, size_t length)
{
    const entry *e = node_find(snapshot->root, (path){key, length, 0, 0});
    return e ? &e->notice : NULL;
}

static int
each(const node *n, int (*visit)(const rt_notice *notice, void *context), void *context)
{
    uint32_t place = 0;
    int answer = 0;

    for (uint32_t bits = (uint32_t)n->entries | n->nodes; bits && !answer; bits &= bits - 1, ++place) {
        if (n->entries & bits & (~bits + 1))
            answer = visit(&((const entry *)n->children[place])->notice, context);
        else
            answer = each(n->children[place], visit, context);
    }
    return answer;
}

int
rt_snapshot_each(const rt_snapshot *snapshot, int (*visit)(const rt_notice *notice, void *context), void *context)
{
    return snapshot->root ? each(snapshot->root, visit, context) : 0;
}

#ifdef RT_CHECKS
static size_t
check_node(const node *n, const rt_snapshot *snapshot, bool is_root)
{
    uint32_t place = 0;
    size_t count = 0;

    if (n->entries & n->nodes || children_of(n) == 0)
        abort();
    for (uint32_t bits = (uint32_t)n->entries | n->nodes; bits; bits &= bits - 1, ++place) {
        if (n->entries & bits & (~bits + 1)) {
            const entry *e = n->children[place];
            if (rt_snapshot_find(snapshot, e->notice.key, e->notice.length) != &e->notice)
                abort();
            ++count;
        } else {
            count += check_node(n->children[place], snapshot, false);
        }
    }
    if (!is_root && count < 2)
        abort();
    return count;
}

void
rt_snapshot_check(const rt_snapshot *snapshot)
{
    if (snapshot->count != (snapshot->root ? check_node(snapshot->root, snapshot, true) : 0))
        abort();
}
#endif

/* ---- the board ---- */

rt_board *
rt_board_new(const rt_host *host)
{
    rt_board *board = calloc(1, sizeof(*board));
    rt_snapshot *empty = snapshot_new(NULL, 0);

    if (board)
        board->cown = rt_cown_new(host, (rt_value){0, 0});
    if (!board || !empty || !board->cown) {
        if (board && board->cown)
            rt_cown_release(board->cown);
        if (empty)
            rt_block_free(empty, sizeof(*empty));
        free(board);
        return NULL;
    }
    board->host = host;
    atomic_init(&board->current, word_of(empty));
    return board;
}

void
rt_board_free(rt_board *board)
{
    retire(rt_load_acquire(&board->current));
    rt_cown_release(board->cown);
    free(board);
}

rt_cown *
rt_board_cown(const rt_board *board)
{
    return board->cown;
}

/* For its writer, who alone changes which one it is: no reference needed. */
static rt_snapshot *
current_of(rt_board *board)
{
    return snapshot_in(rt_load_relaxed(&board->current));
}

int
rt_board_put(rt_board *board, const char *key, size_t length, rt_value value)
{
    rt_snapshot *old = current_of(board);
    path at = {key, length, 0, 0};
    entry *e = entry_new(board, key, length);
    bool added = false;
    node *root;

    if (!e)
        return RT_NO_MEMORY;
    root = node_put(old->root, e, &at, &added);
    if (!root) {
        entry_release(e);
        return RT_NO_MEMORY;
    }
    e->notice.value = value;
    if (publish(board, root, old->count + added) != RT_OK) {
        e->notice.value = (rt_value){0, 0};
        node_release(root);
        return RT_NO_MEMORY;
    }
    return RT_OK;
}

int
rt_board_remove(rt_board *board, const char *key, size_t length)
{
    rt_snapshot *old = current_of(board);
    path at = {key, length, 0, 0};
    child left;

    if (!node_find(old->root, at))
        return RT_OK;
    if (node_remove(old->root, &at, true, &left) != RT_OK)
        return RT_NO_MEMORY;
    if (publish(board, left.n, old->count - 1) == RT_OK)
        return RT_OK;
    node_release(left.n);
    return RT_NO_MEMORY;
}

int
rt_board_clear(rt_board *board)
{
    return current_of(board)->count ? publish(board, NULL, 0) : RT_OK;
}
