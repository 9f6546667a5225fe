"""The picture that the digits program writes: what it got wrong, and the confusion matrix."""

from __future__ import annotations

from collections.abc import Sequence

from bocmat.examples.picture import Canvas, Color, blend, text_width

WHITE: Color = (255, 255, 255)
PAPER: Color = (247, 248, 250)
INK: Color = (28, 33, 44)
QUIET: Color = (112, 121, 138)
LINE: Color = (222, 226, 233)
BLUE: Color = (33, 94, 190)
PALE_BLUE: Color = (226, 236, 250)
RED: Color = (205, 52, 66)
PALE_RED: Color = (251, 224, 224)

MARGIN = 56
TOP = 190  # where the two parts begin
CELL = 58
CLASSES = 10
WRONG_WIDTH = 654
CARD_GAP = 18
CARD_FOOT = 36
COLUMNS = ((6, 3), (12, 4), (24, 6))  # up to so many cards, so many in a row
MOST_CARDS = COLUMNS[-1][0]

Image = Sequence[Sequence[float]]


def draw_page(
    images: Sequence[Image], labels: Sequence[int], predictions: Sequence[int], facts: Sequence[str]
) -> Canvas:
    """Draw the whole picture; images are squares of values from 0 to 1, 1 the darkest."""
    wrong = [i for i, label in enumerate(labels) if predictions[i] != label]
    shown = wrong[:MOST_CARDS]
    left = MARGIN + 64
    wrong_left = left + CLASSES * CELL + 110
    width = wrong_left + WRONG_WIDTH + MARGIN
    height = TOP + 44 + CLASSES * CELL + 64 + MARGIN
    canvas = Canvas(width, height, PAPER)
    _draw_heading(canvas, facts, len(labels) - len(wrong), len(labels))
    _draw_confusion(canvas, left, TOP + 44, labels, predictions)
    _draw_wrong(
        canvas, wrong_left, TOP + 44, [(images[i], labels[i], predictions[i]) for i in shown]
    )
    title = "All right" if not wrong else f"The {len(wrong)} it got wrong"
    if len(shown) < len(wrong):
        title = f"The first {len(shown)} of the {len(wrong)} it got wrong"
    canvas.text(wrong_left, TOP, title, 20, INK, bold=True)
    return canvas


def _draw_heading(canvas: Canvas, facts: Sequence[str], right: int, total: int) -> None:
    canvas.text(MARGIN, 92, "Handwritten digits", 36, INK, bold=True)
    canvas.text(MARGIN, 134, ", ".join(facts), 15, QUIET)
    edge = canvas.width - MARGIN
    canvas.text(edge, 92, f"{100 * right / total:.1f} %", 36, BLUE, align=1, bold=True)
    canvas.text(edge, 134, f"{right} of {total} right", 15, QUIET, align=1)


def _draw_confusion(
    canvas: Canvas, left: int, top: int, labels: Sequence[int], predictions: Sequence[int]
) -> None:
    """Draw how often each digit (rows) was taken for each (columns)."""
    counts = [[0] * CLASSES for _ in range(CLASSES)]
    for label, prediction in zip(labels, predictions):
        counts[label][prediction] += 1
    most = max(map(max, counts))
    side = CLASSES * CELL
    canvas.text(left, top - 44, "Confusion matrix", 20, INK, bold=True)
    canvas.rectangle(left, top, side, side, WHITE)
    for row in range(CLASSES):
        middle = top + row * CELL + CELL // 2
        canvas.text(left - 22, middle + 8, str(row), 16, INK, align=0.5)
        canvas.text(left + row * CELL + CELL / 2, top + side + 30, str(row), 16, INK, align=0.5)
        for column in range(CLASSES):
            x = left + column * CELL
            _draw_cell(canvas, x, top + row * CELL, counts[row][column], most, row == column)
    for step in range(CLASSES + 1):
        canvas.rectangle(left + step * CELL, top, 1, side + 1, LINE)
        canvas.rectangle(left, top + step * CELL, side + 1, 1, LINE)
    canvas.text(left + side / 2, top + side + 64, "predicted", 15, QUIET, align=0.5)
    canvas.text(left - 22, top - 14, "true", 15, QUIET, align=0.5)


def _draw_cell(canvas: Canvas, x: int, y: int, count: int, most: int, right: bool) -> None:
    if count == 0:
        canvas.text(x + CELL / 2, y + CELL / 2 + 3, ".", 16, LINE, align=0.5, bold=True)
        return
    strength = count / most
    if right:
        fill, ink = blend(PALE_BLUE, BLUE, strength**2), WHITE if strength > 0.5 else INK
    else:
        fill, ink = blend(PALE_RED, RED, min(1.0, (count - 1) / 4)), RED if count < 3 else WHITE
    canvas.rectangle(x, y, CELL, CELL, fill)
    canvas.text(x + CELL / 2, y + CELL / 2 + 8, str(count), 17, ink, align=0.5, bold=True)


def _draw_wrong(
    canvas: Canvas, left: int, top: int, wrong: Sequence[tuple[Image, int, int]]
) -> None:
    """Draw the digits that were taken for another, each with both."""
    columns = next(columns for most, columns in COLUMNS if len(wrong) <= most)
    side = (WRONG_WIDTH + CARD_GAP) // columns - CARD_GAP
    step_x, step_y = side + CARD_GAP, side + CARD_FOOT + CARD_GAP
    for number, (image, label, prediction) in enumerate(wrong):
        x, y = left + number % columns * step_x, top + number // columns * step_y
        canvas.rectangle(x, y, side, side + CARD_FOOT, WHITE)
        canvas.frame(x, y, side, side + CARD_FOOT, LINE)
        canvas.image(x + 8, y + 6, side - 16, _bordered(image), WHITE, INK)
        baseline, middle = y + side + CARD_FOOT - 18, x + side / 2
        canvas.text(middle - 26, baseline, str(label), 20, BLUE, align=0.5, bold=True)
        canvas.arrow(middle - 11, baseline - 10, 21, QUIET)
        canvas.text(middle + 26, baseline, str(prediction), 20, RED, align=0.5, bold=True)
    if wrong:
        y = top + -(-len(wrong) // columns) * step_y + 14
        canvas.text(left, y, "true", 15, BLUE)
        arrow = left + text_width("true", 15) + 12
        canvas.arrow(arrow, y - 6, 24, QUIET)
        canvas.text(arrow + 36, y, "predicted", 15, RED)


def _bordered(image: Image) -> Image:
    """Put a blank border around an image, so that it does not end at the edge of a stroke."""
    blank = [0.0] * (len(image) + 2)
    return [blank, *([0.0, *row, 0.0] for row in image), blank]
