/* Whether two runs are equal, exactly or within bounds. Included by loops.h. */

/* Lanes that are not close. A NaN is close to a NaN or to nothing, an infinity only to itself. */
INLINE mask
apart(vec a, vec b, vec relative, vec absolute, bool exact, bool equal_nan)
{
    mask differ = a != b;
    if (!exact) {
        vec size = v_abs(b);
        differ &=
            ~((v_abs(a - b) <= absolute + relative * size) & (v_abs(a) < v_all(INFINITY)) & (size < v_all(INFINITY)));
    }
    return equal_nan ? differ & ((a == a) | (b == b)) : differ;
}

INLINE bool
close_as(size_t count, const double *a, const double *b, const mk_closeness *within, bool exact, bool equal_nan)
{
    vec relative = v_all(within->relative), absolute = v_all(within->absolute);
    size_t i = 0;
    for (; i + 4 * LANES <= count; i += 4 * LANES) {
        mask differ = apart(v_load(a + i), v_load(b + i), relative, absolute, exact, equal_nan);
        for (size_t k = 1; k < 4; k++) {
            size_t j = i + k * LANES;
            differ |= apart(v_load(a + j), v_load(b + j), relative, absolute, exact, equal_nan);
        }
        if (v_bits(differ))
            return false;
    }
    for (; i < count; i += LANES) {
        size_t left = count - i;
        vec x = left < LANES ? v_load_part(a + i, left) : v_load(a + i);
        vec y = left < LANES ? v_load_part(b + i, left) : v_load(b + i);
        if (v_bits(apart(x, y, relative, absolute, exact, equal_nan)))
            return false;
    }
    return true;
}

static bool
close_run(size_t count, const double *a, const double *b, const mk_closeness *within)
{
    if (within->exact)
        return within->equal_nan ? close_as(count, a, b, within, true, true)
                                 : close_as(count, a, b, within, true, false);
    return within->equal_nan ? close_as(count, a, b, within, false, true) : close_as(count, a, b, within, false, false);
}
