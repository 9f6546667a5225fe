/* One run sorted, by its keys. Included twice by sort_loops.h: with PAIRS 0 for keys alone, with PAIRS 1 for keys that
 * take a position each along.
 *
 * Quicksort: a vector is split by the pivot with one shuffle and stored at both ends of the free room, the lanes that
 * do not belong there being written over later. What fits into registers is sorted there, as a table of `rows` vectors:
 * its columns by a network, then pairs of neighbouring columns merged until one is left, then turned.
 */

typedef struct {
    vec key;
#if PAIRS
    vec at;
#endif
} SORT(lot);

/* ---- exchanges ---- */

INLINE
SORT(lot) SORT(load)(const double *keys, const double *positions, size_t k)
{
    SORT(lot) x;
    x.key = v_load(keys + k);
    (void)positions;
#if PAIRS
    x.at = v_load(positions + k);
#endif
    return x;
}

INLINE void
SORT(store)(double *keys, double *positions, size_t k, SORT(lot) x)
{
    v_store(keys + k, x.key);
    (void)positions;
#if PAIRS
    v_store(positions + k, x.at);
#endif
}

INLINE void
SORT(exchange)(SORT(lot) * a, SORT(lot) * b)
{
#if PAIRS
    lane_set swap = lanes_less(b->key, a->key);
    SORT(lot) low = {lanes_choose(swap, b->key, a->key), lanes_choose(swap, b->at, a->at)};
    *b = (SORT(lot)){lanes_choose(swap, a->key, b->key), lanes_choose(swap, a->at, b->at)};
    *a = low;
#else
    vec low = least(a->key, b->key);
    b->key = greatest(b->key, a->key);
    a->key = low;
#endif
}

INLINE
SORT(lot) SORT(flip)(unsigned flip, SORT(lot) x)
{
    x.key = lanes_flip(flip, x.key);
#if PAIRS
    x.at = lanes_flip(flip, x.at);
#endif
    return x;
}

/* Lanes whose number has `bit` keep the greater of themselves and the flipped ones, the others the lesser. */
INLINE void
SORT(exchange_lanes)(SORT(lot) * x, unsigned bit, unsigned flip)
{
    SORT(lot) other = SORT(flip)(flip, *x);
#if PAIRS
    lane_set swap = lanes_less(lanes_blend(bit, other.key, x->key), lanes_blend(bit, x->key, other.key));
    x->key = lanes_choose(swap, other.key, x->key);
    x->at = lanes_choose(swap, other.at, x->at);
#else
    x->key = lanes_apart(bit, x->key, other.key);
#endif
}

/* The same between a lane of one row and the flipped lane of another. */
INLINE void
SORT(exchange_mirrored)(SORT(lot) * a, SORT(lot) * b, unsigned bit, unsigned flip)
{
    SORT(lot) other = SORT(flip)(flip, *b);
#if PAIRS
    lane_set swap = lanes_less(lanes_blend(bit, other.key, a->key), lanes_blend(bit, a->key, other.key));
    *b = (SORT(lot)){lanes_choose(swap, a->key, other.key), lanes_choose(swap, a->at, other.at)};
    a->key = lanes_choose(swap, other.key, a->key);
    a->at = lanes_choose(swap, other.at, a->at);
#else
    vec mine = a->key;
    a->key = lanes_apart(bit, mine, other.key);
    b->key = lanes_apart_other(bit, other.key, mine);
#endif
    *b = SORT(flip)(flip, *b);
}

/* ---- a table in registers ---- */

#define EXCHANGE(i, j) SORT(exchange)(x + (i), x + (j));

INLINE void
SORT(columns)(SORT(lot) * x, int rows)
{
    if (rows == 2) {
        NETWORK_2(EXCHANGE)
    } else if (rows == 4) {
        NETWORK_4(EXCHANGE)
    } else if (rows == 8) {
        NETWORK_8(EXCHANGE)
    } else if (rows == 16) {
        NETWORK_16(EXCHANGE)
    }
}

#undef EXCHANGE

/* Of each `group` columns the two sorted halves become one sorted whole, read column by column. */
INLINE void
SORT(merge)(SORT(lot) * x, int rows, int group)
{
    if (rows == 1)
        SORT(exchange_lanes)(x, (unsigned)group / 2, (unsigned)group - 1);
    ALL_UNROLLED
    for (int i = 0; i < rows / 2; i++)
        SORT(exchange_mirrored)(x + i, x + rows - 1 - i, (unsigned)group / 2, (unsigned)group - 1);
    ALL_UNROLLED
    for (int apart = group / 4; apart; apart /= 2)
        ALL_UNROLLED
    for (int i = 0; i < rows; i++)
        SORT(exchange_lanes)(x + i, (unsigned)apart, (unsigned)apart);
    ALL_UNROLLED
    for (int apart = rows / 2; apart; apart /= 2)
        ALL_UNROLLED
    for (int i = 0; i < rows; i++)
        if (!(i & apart))
            SORT(exchange)(x + i, x + i + apart);
}

/* Columns become consecutive: zipping two rows puts the bit of the row's number that told them apart lowest. */
INLINE void
SORT(turn)(SORT(lot) * x, int rows)
{
    ALL_UNROLLED
    for (int length = 1; length < rows; length *= 2) {
        SORT(lot) zipped[MOST_ROWS];
        ALL_UNROLLED
        for (int i = 0; i < rows / 2; i++) {
            zipped[2 * i].key = zip_low(x[i].key, x[i + rows / 2].key);
            zipped[2 * i + 1].key = zip_high(x[i].key, x[i + rows / 2].key);
#if PAIRS
            zipped[2 * i].at = zip_low(x[i].at, x[i + rows / 2].at);
            zipped[2 * i + 1].at = zip_high(x[i].at, x[i + rows / 2].at);
#endif
        }
        ALL_UNROLLED
        for (int i = 0; i < rows; i++)
            x[i] = zipped[i];
    }
}

/* At most rows * LANES, more than half of that. */
INLINE void
SORT(table)(double *keys, double *positions, size_t n, int rows)
{
    SORT(lot) x[MOST_ROWS];
    (void)positions;
    ALL_UNROLLED
    for (int i = 0; i < rows; i++) {
        size_t done = (size_t)i * LANES, left = n > done ? n - done : 0;
        x[i].key = load_or_infinity(keys + done, left);
#if PAIRS
        x[i].at = load_or_infinity(positions + done, left);
#endif
    }
    SORT(columns)(x, rows);
    ALL_UNROLLED
    for (int group = 2; group <= LANES; group *= 2)
        SORT(merge)(x, rows, group);
    SORT(turn)(x, rows);
    ALL_UNROLLED
    for (int i = 0; i < rows; i++) {
        size_t done = (size_t)i * LANES, left = n > done ? n - done : 0;
        if (left >= LANES) { /* a masked store would keep what reads it next waiting */
            SORT(store)(keys, positions, done, x[i]);
            continue;
        }
        store_some(keys + done, x[i].key, left);
#if PAIRS
        store_some(positions + done, x[i].at, left);
#endif
    }
}

enum { SORT(TABLE) = SORT_ROWS * LANES };

static void
SORT(small)(double *keys, double *positions, size_t n)
{
    if (n <= LANES)
        SORT(table)(keys, positions, n, 1);
    else if (n <= 2 * LANES)
        SORT(table)(keys, positions, n, 2);
    else if (n <= 4 * LANES)
        SORT(table)(keys, positions, n, 4);
#if SORT_ROWS > 4
    else if (n <= 8 * LANES)
        SORT(table)(keys, positions, n, 8);
#endif
#if SORT_ROWS > 8
    else
        SORT(table)(keys, positions, n, 16);
#endif
}

/* ---- several tables ---- */

enum { SORT(TABLES) = SORT_MERGED * SORT(TABLE) };

/* Two sorted halves become two bitonic ones, nothing in the first above anything in the second. */
static void
SORT(fold)(double *keys, double *positions, size_t half)
{
    for (size_t k = 0; k < half / 2; k += LANES) {
        size_t mirror = half - LANES - k;
        SORT(lot) a = SORT(load)(keys, positions, k), b = SORT(load)(keys, positions, mirror);
        SORT(lot) c = SORT(flip)(LANES - 1, SORT(load)(keys, positions, half + mirror));
        SORT(lot) d = SORT(flip)(LANES - 1, SORT(load)(keys, positions, half + k));
        SORT(exchange)(&a, &c);
        SORT(exchange)(&b, &d);
        SORT(store)(keys, positions, k, a);
        SORT(store)(keys, positions, mirror, b);
        SORT(store)(keys, positions, half + k, c);
        SORT(store)(keys, positions, half + mirror, d);
    }
}

/* A bitonic run of one table is sorted. */
static void
SORT(unfold_table)(double *keys, double *positions)
{
    SORT(lot) x[SORT_ROWS];
    ALL_UNROLLED
    for (int i = 0; i < SORT_ROWS; i++)
        x[i] = SORT(load)(keys, positions, (size_t)i * LANES);
    ALL_UNROLLED
    for (int apart = SORT_ROWS / 2; apart; apart /= 2)
        ALL_UNROLLED
    for (int i = 0; i < SORT_ROWS; i++)
        if (!(i & apart))
            SORT(exchange)(x + i, x + i + apart);
    ALL_UNROLLED
    for (int apart = LANES / 2; apart; apart /= 2)
        ALL_UNROLLED
    for (int i = 0; i < SORT_ROWS; i++)
        SORT(exchange_lanes)(x + i, (unsigned)apart, (unsigned)apart);
    ALL_UNROLLED
    for (int i = 0; i < SORT_ROWS; i++)
        SORT(store)(keys, positions, (size_t)i * LANES, x[i]);
}

/* A bitonic run of several. */
static void
SORT(unfold)(double *keys, double *positions, size_t n)
{
    for (size_t half = n / 2; half >= SORT(TABLE); half /= 2)
        for (size_t from = 0; from < n; from += 2 * half)
            for (size_t k = from; k < from + half; k += LANES) {
                SORT(lot) a = SORT(load)(keys, positions, k), b = SORT(load)(keys, positions, k + half);
                SORT(exchange)(&a, &b);
                SORT(store)(keys, positions, k, a);
                SORT(store)(keys, positions, k + half, b);
            }
    for (size_t k = 0; k < n; k += SORT(TABLE))
        SORT(unfold_table)(keys + k, PAIRS ? positions + k : positions);
}

/* More than a table and at most so many as are merged, filled up with infinity. */
static void
SORT(several)(double *keys, double *positions, size_t n)
{
    double room[SORT(TABLES)], places[PAIRS ? SORT(TABLES) : 1];
    size_t whole = SORT(TABLE);
    while (whole < n)
        whole *= 2;
    memcpy(room, keys, n * sizeof *room);
    for (size_t k = n; k < whole; k++)
        room[k] = INFINITY;
#if PAIRS
    memcpy(places, positions, n * sizeof *places);
    for (size_t k = n; k < whole; k++)
        places[k] = INFINITY;
#endif
    for (size_t k = 0; k < n; k += SORT(TABLE))
        SORT(small)(room + k, PAIRS ? places + k : places, n - k < SORT(TABLE) ? n - k : SORT(TABLE));
    for (size_t half = SORT(TABLE); half < whole; half *= 2)
        for (size_t k = 0; k + half < n; k += 2 * half) {
            SORT(fold)(room + k, PAIRS ? places + k : places, half);
            SORT(unfold)(room + k, PAIRS ? places + k : places, half);
            SORT(unfold)(room + k + half, PAIRS ? places + k + half : places, half);
        }
    memcpy(keys, room, n * sizeof *room);
#if PAIRS
    memcpy(positions, places, n * sizeof *places);
#else
    (void)positions;
#endif
}

/* ---- splitting ---- */

/* Both ends of what is still free in the run. */
typedef struct {
    double *keys, *positions;
    size_t left, right;
} SORT(room);

INLINE void
SORT(place)(SORT(room) * room, SORT(lot) x, vec pivot, bool or_equal)
{
    unsigned bits = lanes_bits(or_equal ? lanes_less_equal(x.key, pivot) : lanes_less(x.key, pivot));
    lane_order order = lanes_order(bits);
    size_t low = lanes_count(bits);
    x.key = lanes_ordered(order, x.key);
    v_store(room->keys + room->left, x.key);
    v_store(room->keys + room->right - LANES, x.key);
#if PAIRS
    x.at = lanes_ordered(order, x.at);
    v_store(room->positions + room->left, x.at);
    v_store(room->positions + room->right - LANES, x.at);
#endif
    room->left += low;
    room->right -= LANES - low;
}

/* The last of a run, fewer than make vectors: one after another, each to both ends. */
INLINE void
SORT(place_rest)(SORT(room) * room, const double *keys, const double *positions, size_t n, double pivot, bool or_equal)
{
    (void)positions;
    for (size_t k = 0; k < n; k++) {
        double key = keys[k];
        bool low = or_equal ? key <= pivot : key < pivot;
        room->keys[room->left] = room->keys[room->right - 1] = key;
#if PAIRS
        room->positions[room->left] = room->positions[room->right - 1] = positions[k];
#endif
        room->left += low;
        room->right -= !low;
    }
}

/* Those below the pivot, or not above it, come first: how many. More than a table. Two steps are set aside at first,
 * which is the room that everything moves in: reading goes on at the end with less of it, so neither runs out. */
INLINE size_t
SORT(split)(double *keys, double *positions, size_t n, double pivot, bool or_equal)
{
    enum { VECTORS = PAIRS ? 2 : 4, STEP = VECTORS * LANES };
    double aside[3 * STEP], positions_aside[PAIRS ? 3 * STEP : 1];
    size_t from = STEP, to = n - STEP - n % STEP, kept = n - to + STEP, k = 0;
    SORT(room) room = {keys, positions, 0, n};
    vec pivots = v_all(pivot);
    (void)positions_aside;
    memcpy(aside, keys, STEP * sizeof *keys);
    memcpy(aside + STEP, keys + to, (n - to) * sizeof *keys);
#if PAIRS
    memcpy(positions_aside, positions, STEP * sizeof *keys);
    memcpy(positions_aside + STEP, positions + to, (n - to) * sizeof *keys);
#endif
    while (from < to) {
        SORT(lot) x[VECTORS];
        size_t read;
        if (from - room.left <= room.right - to) {
            read = from;
            from += STEP;
        } else {
            to -= STEP;
            read = to;
        }
        ALL_UNROLLED
        for (int i = 0; i < VECTORS; i++)
            x[i] = SORT(load)(keys, positions, read + (size_t)i * LANES);
        ALL_UNROLLED
        for (int i = 0; i < VECTORS; i++)
            SORT(place)(&room, x[i], pivots, or_equal);
    }
    for (; kept - k >= 2 * LANES; k += LANES)
        SORT(place)(&room, SORT(load)(aside, positions_aside, k), pivots, or_equal);
    SORT(place_rest)(&room, aside + k, PAIRS ? positions_aside + k : positions_aside, kept - k, pivot, or_equal);
    return room.left;
}

static size_t
SORT(split_below)(double *keys, double *positions, size_t n, double pivot)
{
    return SORT(split)(keys, positions, n, pivot, false);
}

static size_t
SORT(split_up_to)(double *keys, double *positions, size_t n, double pivot)
{
    return SORT(split)(keys, positions, n, pivot, true);
}

/* ---- where pivots keep failing ---- */

static void
SORT(sift)(double *keys, double *positions, size_t at, size_t n)
{
    double key = keys[at];
#if PAIRS
    double position = positions[at];
#endif
    (void)positions;
    for (size_t child; (child = 2 * at + 1) < n; at = child) {
        child += child + 1 < n && keys[child] < keys[child + 1];
        if (!(key < keys[child]))
            break;
        keys[at] = keys[child];
#if PAIRS
        positions[at] = positions[child];
#endif
    }
    keys[at] = key;
#if PAIRS
    positions[at] = position;
#endif
}

static void
SORT(heap)(double *keys, double *positions, size_t n)
{
    for (size_t i = n / 2; i-- > 0;)
        SORT(sift)(keys, positions, i, n);
    for (size_t last = n - 1; last > 0; last--) {
        double key = keys[0];
        keys[0] = keys[last];
        keys[last] = key;
#if PAIRS
        double position = positions[0];
        positions[0] = positions[last];
        positions[last] = position;
#endif
        SORT(sift)(keys, positions, 0, last);
    }
}

/* ---- all of it ---- */

/* `patience` halvings are left before the pivots are given up. */
static void
SORT(quick)(double *keys, double *positions, size_t n, int patience)
{
    while (n > SORT(TABLES)) {
        if (patience-- == 0) {
            SORT(heap)(keys, positions, n);
            return;
        }
        double pivot = pivot_of(keys, n);
        size_t low = SORT(split_below)(keys, positions, n, pivot);
        if (low)
            SORT(quick)(keys, positions, low, patience);
        else /* the pivot is the least: as many as there are of it are in place */
            low = SORT(split_up_to)(keys, positions, n, pivot);
        keys += low;
        n -= low;
#if PAIRS
        positions += low;
#endif
    }
    if (n > SORT(TABLE))
        SORT(several)(keys, positions, n);
    else if (n > 1)
        SORT(small)(keys, positions, n);
}
