/* The words in which docstrings are written: NumPy's sections, as string constants.
 *
 *   "One sentence." PARAMETERS(PARAMETER("axis", "{None, 0, 1}", "...")) RETURNS("float or Matrix", "...")
 *   RAISES(CASE("ValueError", "...")) EXAMPLES(DO("m = Matrix.eye(2)") TRY("m.sum()", "2.0"))
 *
 * In an example `Matrix`, `Cown`, `math` and `linalg` are known, and what those of behaviors need;
 * a line break in a result is written "\n".
 */
#ifndef BOCMAT_DOCS_H
#define BOCMAT_DOCS_H

#define PARAMETERS(list)            "\n\nParameters\n----------" list
#define PARAMETER(name, kind, text) "\n" name " : " kind "\n    " text
#define RETURNS(kind, text)         "\n\nReturns\n-------\n" kind "\n    " text
#define RAISES(list)                "\n\nRaises\n------" list
#define CASE(exception, text)       "\n" exception "\n    " text
#define NOTES(text)                 "\n\nNotes\n-----\n" text
#define EXAMPLES(list)              "\n\nExamples\n--------" list
#define TRY(expression, result)     "\n>>> " expression "\n" result
#define DO(statement)               "\n>>> " statement

/* What many functions share. */
#define OPERAND "Matrix, MatrixView, float or sequence"
#define AXIS \
    PARAMETER("axis", "{None, 0, 1, -1, -2}, optional", "None for all elements, 0 down the columns, 1 along the rows.")
#define READ_ONLY \
    PARAMETER("read_only", "bool, optional", "Writing through the view, or through a part of it, raises TypeError.")
#define GATHER_AXIS                                                      \
    PARAMETER("axis", "{0, 1, -1, -2, None}, optional",                  \
              "0 for positions of rows, 1 of columns, None of elements " \
              "counted row by row.")
#define ACCUMULATE   PARAMETER("accumulate", "bool, optional", "Add to what is there, once for each time it is named.")
#define NOT_IN_RANGE CASE("IndexError", "A position is out of range; the message names it and the length.")
#define SIZE         PARAMETER("size", "(int, int)", "Rows and columns.")
#define NO_SHAPE     CASE("ValueError", "The shape is negative or too large; the message names it.")
#define DESCENDING   PARAMETER("descending", "bool, optional", "From the greatest to the least.")
#define IN_PLACE     PARAMETER("in_place", "bool, optional", "Write the result into this matrix and return it.")
#define OUT                                            \
    PARAMETER("out", "Matrix or MatrixView, optional", \
              "Where the result goes instead of a new matrix; may be an operand.")
#define WHERE    PARAMETER("where", "mask, optional", "Only elements whose mask is not zero take part; broadcasts.")
/* Of all reductions; what they give for everything, by the words of reduce.def. */
#define DTYPE    PARAMETER("dtype", "float, optional", "float64 in any spelling; there is no other.")
#define KEEPDIMS PARAMETER("keepdims", "bool, optional", "Give a 1 x 1 Matrix rather than a number.")
#define REDUCED  AXIS DTYPE OUT WHERE KEEPDIMS
#define LINES_REDUCED                                                                                             \
    "Of all elements one number; of axis 0 a 1 x columns Matrix, of axis 1 a rows x 1 Matrix. NaN where `where` " \
    "leaves nothing and there is no identity."
#define NOTHING_LEFT  CASE("ValueError", "The matrix is empty and the function has no identity.")
#define ANSWER_number "float"
#define ANSWER_truth  "bool"
#define ANSWER_whole  "int"
#define NOT_HERE      CASE("RuntimeError", "The values are held elsewhere, or are read-only and would be written.")
#define NOT_FITTING   CASE("ValueError", "Shapes do not fit; the message names them.")

#endif
