/* Splitting a matrix into tiles that share its buffer, and joining them again.
 *
 * While it is split, the whole keeps its buffer but not `data`, so every use of it is refused. Each tile is a matrix of
 * its own whose buffer is a child of the whole's: tiles are disjoint, so each may be written, handed over and freed
 * like any other matrix. The whole's buffer counts its header and its children, which is how joining finds out whether
 * anybody else still reads the memory (an alias of a tile, a tile that was replaced and lives on).
 */
#include "matrix_methods.h"

/* ---- split ---- */

/* A buffer of its own that a header alone holds, never borrowed. */
static bool
whole_make_buffer(MatrixObject *self)
{
    matrix_parcel parcel;

    if (self->flags & MATRIX_ADDRESSED) {
        PyErr_Format(PyExc_BufferError,
                     "the matrix of shape (%zd, %zd) cannot be split: __array_interface__ gave its address away; "
                     "split a copy()",
                     self->rows, self->columns);
        return false;
    }
    if (!matrix_writable(self))
        return false;
    if (self->buffer && !self->buffer->exporter)
        return true;
    if (matrix_leave(self, &parcel) < 0)
        return false;
    self->buffer = parcel.buffer;
    self->data = parcel.data;
    self->stride.row_stride = parcel.row_stride;
    self->stride.column_stride = parcel.column_stride;
    return true;
}

/* The tile at (row, column) of the whole, as a matrix. */
static PyObject *
tile_new(core_state *state, const MatrixObject *whole, Py_ssize_t row, Py_ssize_t column, Py_ssize_t rows,
         Py_ssize_t columns)
{
    mk_window place = matrix_window(whole);
    matrix_parcel parcel = {NULL,
                            place.at + row * place.row_stride + column * place.column_stride,
                            rows,
                            columns,
                            place.row_stride,
                            place.column_stride};

    parcel.buffer = buffer_new_tile(whole->buffer, parcel.data);
    if (!parcel.buffer)
        return PyErr_NoMemory();
    return matrix_arrive(state, &parcel, 0);
}

static PyObject *
tile_row_new(core_state *state, const MatrixObject *whole, Py_ssize_t row, Py_ssize_t rows, Py_ssize_t tile_columns)
{
    Py_ssize_t count = whole->columns / tile_columns + (whole->columns % tile_columns != 0);
    PyObject *list = PyList_New(count);

    for (Py_ssize_t j = 0; list && j < count; j++) {
        Py_ssize_t left = whole->columns - j * tile_columns;
        PyObject *tile = tile_new(state, whole, row, j * tile_columns, rows, left < tile_columns ? left : tile_columns);

        if (!tile)
            Py_CLEAR(list);
        else
            PyList_SET_ITEM(list, j, tile);
    }
    return list;
}

PyObject *
matrix_split(PyObject *module, PyObject *const *args, Py_ssize_t count, PyObject *keywords)
{
    static const args_spec spec = {"_split", 3, 3, {"matrix", "tile_rows", "tile_columns", NULL}};
    core_state *state = PyModule_GetState(module);
    PyObject *given[3], *grid;
    Py_ssize_t tile_rows, tile_columns, grid_rows;
    MatrixObject *whole;

    if (!args_take(&spec, args, count, keywords, given) || !args_index(given[1], "tile_rows", &tile_rows) ||
        !args_index(given[2], "tile_columns", &tile_columns))
        return NULL;
    if (!matrix_check(state, given[0])) {
        PyErr_Format(PyExc_TypeError, "only a Matrix can be split, not %s", Py_TYPE(given[0])->tp_name);
        return NULL;
    }
    if (tile_rows < 1 || tile_columns < 1) {
        PyErr_Format(PyExc_ValueError, "tiles need at least one row and one column, not (%zd, %zd)", tile_rows,
                     tile_columns);
        return NULL;
    }
    whole = (MatrixObject *)given[0];
    grid_rows = whole->rows / tile_rows + (whole->rows % tile_rows != 0);
    grid = PyList_New(grid_rows);
    if (!grid || !matrix_can_leave(whole) || !whole_make_buffer(whole))
        goto fail;
    for (Py_ssize_t i = 0; i < grid_rows; i++) {
        Py_ssize_t left = whole->rows - i * tile_rows;
        PyObject *row = tile_row_new(state, whole, i * tile_rows, left < tile_rows ? left : tile_rows, tile_columns);

        if (!row)
            goto fail;
        PyList_SET_ITEM(grid, i, row);
    }
    whole->stride.split_data = whole->data;
    whole->data = NULL;
    whole->flags |= MATRIX_SPLIT;
    return grid;
fail:
    Py_XDECREF(grid);
    return NULL;
}

/* ---- join ---- */

/* A grid of tiles, checked: what stands where. Holds references to the tiles. */
typedef struct {
    PyObject **tiles;
    Py_ssize_t *heights, *widths; /* of grid rows and columns */
    Py_ssize_t grid_rows, grid_columns, rows, columns, filled;
} tile_grid;

static void
grid_free(tile_grid *grid)
{
    for (Py_ssize_t i = 0; i < grid->filled; i++)
        Py_DECREF(grid->tiles[i]);
    PyMem_Free(grid->tiles);
    PyMem_Free(grid->heights);
    PyMem_Free(grid->widths);
}

/* Collects the tiles of a list of lists. */
static bool
grid_take(core_state *state, PyObject *lists, tile_grid *grid)
{
    PyObject *rows = PySequence_Tuple(lists), *row = NULL;

    if (!rows)
        return false;
    grid->grid_rows = PyTuple_GET_SIZE(rows);
    for (Py_ssize_t i = 0; i < grid->grid_rows; i++) {
        row = PySequence_Tuple(PyTuple_GET_ITEM(rows, i));
        if (!row)
            goto fail;
        if (i == 0) {
            grid->grid_columns = PyTuple_GET_SIZE(row);
            grid->tiles = PyMem_Calloc((size_t)(grid->grid_rows * grid->grid_columns + 1), sizeof *grid->tiles);
            if (!grid->tiles) {
                PyErr_NoMemory();
                goto fail;
            }
        }
        if (PyTuple_GET_SIZE(row) != grid->grid_columns) {
            PyErr_Format(PyExc_ValueError, "row 0 of the grid has %zd tiles and row %zd has %zd", grid->grid_columns, i,
                         PyTuple_GET_SIZE(row));
            goto fail;
        }
        for (Py_ssize_t j = 0; j < grid->grid_columns; j++) {
            PyObject *tile = PyTuple_GET_ITEM(row, j);

            if (!matrix_check(state, tile)) {
                PyErr_Format(PyExc_TypeError, "tile (%zd, %zd) is a %s, not a Matrix", i, j, Py_TYPE(tile)->tp_name);
                goto fail;
            }
            grid->tiles[grid->filled++] = Py_NewRef(tile);
        }
        Py_CLEAR(row);
    }
    Py_DECREF(rows);
    return true;
fail:
    Py_XDECREF(row);
    Py_DECREF(rows);
    return false;
}

/* Measures grid rows and columns: every tile must have the height of its row and the width of its column. */
static bool
grid_measure(tile_grid *grid)
{
    grid->heights = PyMem_Calloc((size_t)grid->grid_rows + 1, sizeof *grid->heights);
    grid->widths = PyMem_Calloc((size_t)grid->grid_columns + 1, sizeof *grid->widths);
    if (!grid->heights || !grid->widths) {
        PyErr_NoMemory();
        return false;
    }
    for (Py_ssize_t i = 0; i < grid->grid_rows; i++)
        for (Py_ssize_t j = 0; j < grid->grid_columns; j++) {
            MatrixObject *tile = (MatrixObject *)grid->tiles[i * grid->grid_columns + j];

            if (!matrix_usable(tile))
                return false;
            if (j == 0)
                grid->rows += grid->heights[i] = tile->rows;
            if (i == 0)
                grid->columns += grid->widths[j] = tile->columns;
            if (tile->rows != grid->heights[i] || tile->columns != grid->widths[j]) {
                PyErr_Format(PyExc_ValueError, "tile (%zd, %zd) has the shape (%zd, %zd) where (%zd, %zd) stands", i, j,
                             tile->rows, tile->columns, grid->heights[i], grid->widths[j]);
                return false;
            }
        }
    return true;
}

static bool
tile_in_place(const MatrixObject *tile, const MatrixObject *whole, const double *place)
{
    return tile->buffer && tile->buffer->parent == whole->buffer && tile->data == place &&
           tile->stride.row_stride == whole->stride.row_stride &&
           tile->stride.column_stride == whole->stride.column_stride;
}

/* True if the whole's own memory can be used again: nobody but its tiles reads it, each from its own place. */
static bool
can_join_in_place(const MatrixObject *whole, const tile_grid *grid)
{
    Py_ssize_t row = 0;
    size_t children = 0;

    for (Py_ssize_t i = 0; i < grid->grid_rows; row += grid->heights[i++]) {
        Py_ssize_t column = 0;

        for (Py_ssize_t j = 0; j < grid->grid_columns; column += grid->widths[j++]) {
            const MatrixObject *tile = (MatrixObject *)grid->tiles[i * grid->grid_columns + j];
            const double *place =
                whole->stride.split_data + row * whole->stride.row_stride + column * whole->stride.column_stride;

            if (tile_in_place(tile, whole, place)) {
                if (!buffer_alone(tile->buffer))
                    return false;
                children++;
            } else if (tile->buffer && tile->buffer->parent == whole->buffer) {
                return false;
            }
        }
    }
    return atomic_load_explicit(&whole->buffer->holders, memory_order_acquire) == children + 1;
}

/* Copies into `to` every tile that does not stand there already. */
static void
grid_write(const tile_grid *grid, mk_window to)
{
    Py_ssize_t row = 0;

    for (Py_ssize_t i = 0; i < grid->grid_rows; row += grid->heights[i++]) {
        Py_ssize_t column = 0;

        for (Py_ssize_t j = 0; j < grid->grid_columns; column += grid->widths[j++]) {
            const MatrixObject *tile = (MatrixObject *)grid->tiles[i * grid->grid_columns + j];
            mk_window place = to;

            place.at += row * to.row_stride + column * to.column_stride;
            if (tile->data != place.at)
                values_copy((size_t)tile->rows, (size_t)tile->columns, place, matrix_window(tile));
        }
    }
}

/* The tiles have given their values: from now on they refuse use. */
static void
grid_spend(const tile_grid *grid)
{
    for (Py_ssize_t i = 0; i < grid->filled; i++) {
        MatrixObject *tile = (MatrixObject *)grid->tiles[i];

        tile->data = NULL;
        if (!tile->buffer || tile->flags & MATRIX_ADDRESSED)
            continue;
        buffer_drop(tile->buffer);
        tile->buffer = NULL;
    }
}

static bool
join_into(MatrixObject *whole, const tile_grid *grid)
{
    mk_window place = {whole->stride.split_data, whole->stride.row_stride, whole->stride.column_stride};

    for (Py_ssize_t i = 0; i < grid->filled; i++)
        if (!matrix_can_leave((MatrixObject *)grid->tiles[i]))
            return false;
    if (!can_join_in_place(whole, grid)) {
        matrix_buffer *fresh = buffer_new((size_t)(whole->rows * whole->columns));

        if (!fresh) {
            PyErr_NoMemory();
            return false;
        }
        place = (mk_window){fresh->values, whole->columns, 1};
        grid_write(grid, place);
        buffer_drop(whole->buffer);
        whole->buffer = fresh;
    } else {
        grid_write(grid, place);
    }
    grid_spend(grid);
    whole->data = place.at;
    whole->stride.row_stride = place.row_stride;
    whole->stride.column_stride = place.column_stride;
    whole->flags &= ~(uint32_t)MATRIX_SPLIT;
    return true;
}

static PyObject *
join_new(core_state *state, const tile_grid *grid)
{
    PyObject *whole = matrix_empty(state, grid->rows, grid->columns);

    if (whole)
        grid_write(grid, matrix_window((MatrixObject *)whole));
    return whole;
}

PyObject *
matrix_join(PyObject *module, PyObject *const *args, Py_ssize_t count, PyObject *keywords)
{
    static const args_spec spec = {"_join", 2, 2, {"matrix", "tiles", NULL}};
    core_state *state = PyModule_GetState(module);
    PyObject *given[2], *result = NULL;
    MatrixObject *whole;
    tile_grid grid = {0};

    if (!args_take(&spec, args, count, keywords, given))
        return NULL;
    if (given[0] != Py_None && !matrix_check(state, given[0])) {
        PyErr_Format(PyExc_TypeError, "tiles are joined into a Matrix or None, not %s", Py_TYPE(given[0])->tp_name);
        return NULL;
    }
    if (!grid_take(state, given[1], &grid) || !grid_measure(&grid))
        goto done;
    if (given[0] == Py_None) {
        result = join_new(state, &grid);
        goto done;
    }
    whole = (MatrixObject *)given[0];
    if (!(whole->flags & MATRIX_SPLIT)) {
        PyErr_Format(PyExc_RuntimeError, "the matrix of shape (%zd, %zd) is not split", whole->rows, whole->columns);
        goto done;
    }
    if (whole->rows && whole->columns && (grid.rows != whole->rows || grid.columns != whole->columns)) {
        PyErr_Format(PyExc_ValueError, "tiles that make (%zd, %zd) do not fill a matrix of shape (%zd, %zd)", grid.rows,
                     grid.columns, whole->rows, whole->columns);
        goto done;
    }
    if (join_into(whole, &grid))
        result = Py_NewRef(given[0]);
done:
    grid_free(&grid);
    return result;
}

/* ---- merge ---- */

/* The tiles' common parent, if each stands right of and below its neighbours in it; and nobody else uses any, if they
 * have to be alone. */
static matrix_buffer *
grid_parent(const tile_grid *grid, bool alone)
{
    const MatrixObject *first = (MatrixObject *)grid->tiles[0];
    mk_window place = matrix_window(first);
    Py_ssize_t row = 0;

    if (!first->buffer || !first->buffer->parent)
        return NULL;
    for (Py_ssize_t i = 0; i < grid->grid_rows; row += grid->heights[i++]) {
        Py_ssize_t column = 0;

        for (Py_ssize_t j = 0; j < grid->grid_columns; column += grid->widths[j++]) {
            MatrixObject *tile = (MatrixObject *)grid->tiles[i * grid->grid_columns + j];
            mk_window window = matrix_window(tile);

            if (!tile->buffer || tile->buffer->parent != first->buffer->parent ||
                (alone && !buffer_alone(tile->buffer)) ||
                window.at != place.at + row * place.row_stride + column * place.column_stride ||
                window.row_stride != place.row_stride || window.column_stride != place.column_stride)
                return NULL;
        }
    }
    return first->buffer->parent;
}

/* A matrix over all of them. */
static PyObject *
grid_whole(core_state *state, const tile_grid *grid, matrix_buffer *parent)
{
    mk_window place = matrix_window((MatrixObject *)grid->tiles[0]);
    matrix_parcel parcel = {
        buffer_new_tile(parent, place.at), place.at, grid->rows, grid->columns, place.row_stride, place.column_stride};

    return parcel.buffer ? matrix_arrive(state, &parcel, 0) : PyErr_NoMemory();
}

/* _merge(tiles): the tiles, which are spent, as one; without copying if they are neighbours in one matrix. */
PyObject *
matrix_merge(PyObject *module, PyObject *lists)
{
    core_state *state = PyModule_GetState(module);
    PyObject *result = NULL;
    tile_grid grid = {0};
    matrix_buffer *parent;

    if (!grid_take(state, lists, &grid) || !grid_measure(&grid))
        goto done;
    for (Py_ssize_t i = 0; i < grid.filled; i++)
        if (!matrix_can_leave((MatrixObject *)grid.tiles[i]))
            goto done;
    parent = grid.filled ? grid_parent(&grid, true) : NULL;
    result = parent ? grid_whole(state, &grid, parent) : join_new(state, &grid);
    if (result)
        grid_spend(&grid);
done:
    grid_free(&grid);
    return result;
}

/* _neighbours(tiles, alone): a matrix over tiles that are neighbours in one matrix, whose values it shares; None if
 * they are not, or if somebody else uses one of them that has to be alone. */
PyObject *
matrix_neighbours(PyObject *module, PyObject *args)
{
    core_state *state = PyModule_GetState(module);
    PyObject *lists, *result = NULL;
    tile_grid grid = {0};
    matrix_buffer *parent;
    int alone;

    if (!PyArg_ParseTuple(args, "Op:_neighbours", &lists, &alone))
        return NULL;
    if (grid_take(state, lists, &grid) && grid_measure(&grid)) {
        parent = grid.filled ? grid_parent(&grid, alone != 0) : NULL;
        result = parent ? grid_whole(state, &grid, parent) : Py_NewRef(Py_None);
    }
    grid_free(&grid);
    return result;
}
