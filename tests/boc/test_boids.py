"""The flight of the flock against a plain one; it is the same whoever computes it."""

from __future__ import annotations

import math
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest

from bocmat import Matrix, quiesce, start, wait
from bocmat.examples.boids import flock as boids
from bocmat.examples.boids import picture, program
from bocmat.examples.boids.flock import Circle, Flock, Weights, World
from bocmat.lifecycle import usable_backends

SMALL = World(300.0, 240.0, 21.0, obstacles=(Circle(290.0, 100.0, 20.0), Circle(150.0, 60.0, 9.0)))
HUNTERS = (Circle(30.0, 235.0, 15.0),)
REFERENCE = Path(__file__).with_name("data") / "boids.png"


def apart(a: np.ndarray, b: np.ndarray, size: np.ndarray) -> np.ndarray:
    """Give the ways from every b to every a, the shorter way around the world."""
    ways = a[:, None] - b[None]
    return ways - size * np.round(ways / size)


def plain_step(birds: np.ndarray, world: World, weights: Weights, hunters=()) -> np.ndarray:
    """Make a step of the whole flock, every bird against every other."""
    size = np.array([world.width, world.height])
    places, speeds = birds[:, :2], birds[:, 2:]
    ways = apart(places, places, size)
    squares = (ways**2).sum(2)
    near = squares < world.reach**2
    np.fill_diagonal(near, False)
    others = np.maximum(near.sum(1), 1)[:, None]
    push = -(ways * near[..., None]).sum(1) / others * (boids.COHESION * weights.cohesion)
    turn = ((speeds[None] - speeds[:, None]) * near[..., None]).sum(1) / others
    push += turn * (boids.ALIGNMENT * weights.alignment)
    close = np.maximum(1 - squares / world.spacing**2, 0)
    push += (ways * close[..., None]).sum(1) * (boids.SEPARATION * weights.separation)
    for circles, much in ((world.obstacles, boids.AVOIDANCE), (hunters, boids.FEAR)):
        for x, y, radius in circles:
            away = apart(places, np.array([[x, y]]), size)[:, 0]
            distance = np.hypot(*away.T)
            strength = np.maximum(radius + world.reach - distance, 0) / world.reach
            push += away / distance[:, None] * strength[:, None] * much
    speeds = speeds + push
    speed = np.hypot(*speeds.T)[:, None]
    speeds *= np.clip(speed, world.slowest, world.fastest) / speed
    return np.hstack([(places + speeds) % size, speeds])


def after(birds: Matrix, world: World, steps: int, weights=boids.EQUAL, hunters=()) -> Matrix:
    flock = Flock(birds, world)
    for _ in range(steps):
        flock.step(weights, hunters)
    return flock.birds().get()


def same_place(ours: np.ndarray, theirs: np.ndarray, world: World) -> None:
    """Compare, where what is next to 0 may also be next to the edge."""
    size = np.array([world.width, world.height])
    ways = ours[:, :2] - theirs[:, :2]
    ways -= size * np.round(ways / size)
    np.testing.assert_allclose(ways, 0, atol=1e-8)
    np.testing.assert_allclose(ours[:, 2:], theirs[:, 2:], atol=1e-8)


@pytest.mark.parametrize(
    "weights", [Weights(), Weights(3, 0, 0), Weights(0, 3, 0), Weights(0, 0, 3), Weights(1, 2, 5)]
)
def test_birds_fly_as_they_do_one_against_every_other(backend, weights):
    birds = boids.random_birds(400, SMALL, 3)
    expected = np.asarray(birds)
    for steps in range(1, 7):
        expected = plain_step(expected, SMALL, weights, HUNTERS)
        same_place(np.asarray(after(birds, SMALL, steps, weights, HUNTERS)), expected, SMALL)


def test_a_flight_that_has_gone_on_for_long_is_still_right(backend):
    """Steps overlap, birds crowd and change strips; one more plain step leads to the same."""
    world = World(300.0, 240.0, 17.0)
    flock = Flock(boids.random_birds(600, world, 4), world)
    for _ in range(120):
        flock.step()
    before = flock.birds()
    flock.step()
    now = flock.birds()
    expected = plain_step(np.asarray(before.get()), world, boids.EQUAL)
    same_place(np.asarray(now.get()), expected, world)


def test_nobody_is_lost_and_nobody_leaves(backend):
    flock = Flock(boids.random_birds(300, SMALL, 5), SMALL)
    for _ in range(10):
        for _ in range(30):
            flock.step(Weights(2.0, 1.0, 0.1))
        birds = np.asarray(flock.birds().get())
        assert birds.shape == (300, 4)
        assert (birds[:, :2] >= 0).all()
        assert (birds[:, :2] < [SMALL.width, SMALL.height]).all()
        speed = np.hypot(*birds[:, 2:].T)
        assert (speed > SMALL.slowest - 1e-9).all()
        assert (speed < SMALL.fastest + 1e-9).all()


def lone(x: float, y: float, dx: float, dy: float, world: World = SMALL) -> list[float]:
    return after(Matrix([[x, y, dx, dy]]), world, 1).tolist()[0]


def test_a_bird_alone_flies_straight_on_and_around_the_edges(backend):
    world = World(300.0, 240.0, 21.0)
    assert lone(100.0, 50.0, 2.0, 1.0, world) == [102.0, 51.0, 2.0, 1.0]
    assert lone(299.0, 239.5, 2.0, 1.0, world) == [1.0, 0.5, 2.0, 1.0]
    assert lone(1.0, 0.5, -2.0, -1.0, world) == [299.0, 239.5, -2.0, -1.0]
    assert lone(2.0, 1.0, -2.0, -1.0, world) == [0.0, 0.0, -2.0, -1.0]
    assert lone(298.0, 239.0, 2.0, 1.0, world) == [0.0, 0.0, 2.0, 1.0]


def test_what_lies_just_below_the_edge_is_not_lost(backend):
    """The difference of a place below 0 that is too small to show rounds to the edge itself."""
    world = World(300.0, 240.0, 21.0, slowest=1e-30)
    x, y, *_ = lone(0.0, 0.0, -1e-20, -1e-20, world)
    assert (x, y) == (0.0, 0.0)


def test_pairs_meet_across_the_edges_as_anywhere(backend):
    world = World(300.0, 240.0, 21.0)
    pair = np.array([[0.0, 0.0, 1.5, 0.5], [7.0, 4.0, -2.0, 1.0]])
    middle = np.hstack([pair[:, :2] + 100, pair[:, 2:]])
    inside = np.asarray(after(Matrix(middle), world, 1))
    for shift in ([296.5, 100], [100, 237.5], [297, 238]):
        moved = np.hstack([(pair[:, :2] + shift) % [300, 240], pair[:, 2:]])
        same_place(
            np.asarray(after(Matrix(moved), world, 1)),
            np.hstack([inside[:, :2] - 100 + shift, inside[:, 2:]]),
            world,
        )


def test_birds_keep_out_of_obstacles_and_away_from_a_hunter(backend):
    flock = Flock(boids.random_birds(200, SMALL, 6), SMALL)
    for _ in range(200):
        flock.step(Weights(0.0, 0.0, 1.0), HUNTERS)
    inside = 0
    for _ in range(5):
        flock.step(Weights(0.0, 0.0, 1.0), HUNTERS)
        places = np.asarray(flock.birds().get())[:, :2]
        size = np.array([SMALL.width, SMALL.height])
        for x, y, radius in (*SMALL.obstacles, *HUNTERS):
            distance = np.hypot(*apart(places, np.array([[x, y]]), size)[:, 0].T)
            inside += int((distance < radius * 0.8).sum())
    assert inside == 0


# ---- the same flight whoever flies it ----


def test_a_seed_gives_one_flight_on_any_number_of_workers():
    world = boids.world_for(700, 400.0, 300.0, boids.obstacles_for(2, 400.0, 300.0))
    flights = set()
    for backend in usable_backends():
        for workers in (1, 2, 5):
            start(workers, backend=backend)
            flights.add(after(boids.random_birds(700, world, 8), world, 40).tobytes())
            wait()
    assert len(flights) == 1
    start(2)
    flights.add(after(boids.random_birds(700, world, 9), world, 40).tobytes())
    wait()
    assert len(flights) == 2


def test_steps_overlap_and_look_back(backend):
    """All steps are scheduled before the first is done; each flock is as it was at its step."""
    world = boids.world_for(500, 400.0, 300.0)
    birds = boids.random_birds(500, world, 2)
    flock, seen = Flock(birds, world), []
    for _ in range(12):
        flock.step()
        seen.append(flock.birds())
    quiesce()
    for steps in (1, 5, 12):
        assert seen[steps - 1].get().tobytes() == after(birds, world, steps).tobytes()


# ---- the world ----


@pytest.mark.parametrize("count", [1, 3, 50, 1000, 5000, 100_000])
def test_a_world_fits_any_number_of_birds(count):
    world = boids.world_for(count, 1280.0, 800.0)
    edges = boids.strip_edges(count, world)
    assert edges[0] == 0
    assert edges[-1] == world.height
    assert len(edges) > 3
    assert np.diff(edges).min() >= world.reach + world.fastest
    if count >= 1000:
        seen = count * math.pi * world.reach**2 / (world.width * world.height)
        assert seen == pytest.approx(boids.NEIGHBOURS)


def test_a_world_that_is_too_small_is_refused():
    with pytest.raises(ValueError, match="300 by 60 is too small"):
        boids.strip_edges(10, World(300.0, 60.0, 21.0))
    with pytest.raises(ValueError, match="60 by 300 is too small"):
        Flock(Matrix.zeros((1, 4)), World(60.0, 300.0, 21.0))


# ---- files ----

FLIGHT = (
    *("--headless", "--birds", "150", "--seed", "7", "--steps", "30", "--hunter"),
    *("--width", "320", "--height", "240"),
)


def pixels_of(path: Path) -> tuple[tuple[int, int], np.ndarray]:
    """Read a PNG file as it is written here: colours by number, a byte each, rows as they are."""
    data = path.read_bytes()
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    parts, at = {}, 8
    while at < len(data):
        (size,) = struct.unpack(">I", data[at : at + 4])
        kind, body = data[at + 4 : at + 8], data[at + 8 : at + 8 + size]
        assert struct.unpack(">I", data[at + 8 + size : at + 12 + size])[0] == zlib.crc32(
            kind + body
        )
        parts[kind] = body
        at += 12 + size
    width, height = struct.unpack(">II", parts[b"IHDR"][:8])
    rows = np.frombuffer(zlib.decompress(parts[b"IDAT"]), np.uint8).reshape(height, width + 1)
    assert (rows[:, 0] == 0).all()
    colors = np.frombuffer(parts[b"PLTE"], np.uint8).reshape(-1, 3)
    return (width, height), colors[rows[:, 1:]]


def uncompressed(data: bytes) -> bytes:
    """Read what LZW wrote, as GIF wants it: least significant bits first, codes of 9 bits up."""
    bits, filled, width, at = 0, 0, 9, 0
    table: list[bytes] = []
    out, before = bytearray(), b""
    while True:
        while filled < width:
            bits |= data[at] << filled
            at, filled = at + 1, filled + 8
        code = bits & ((1 << width) - 1)
        bits, filled = bits >> width, filled - width
        if code == picture.END:
            assert at == len(data)
            return bytes(out)
        if code == picture.CLEAR:
            table, width, before = [bytes([value]) for value in range(256)] + [b"", b""], 9, b""
            continue
        run = table[code] if code < len(table) else before + before[:1]
        if before and len(table) < 4096:
            table.append(before + run[:1])
        if len(table) >> width and width < 12:
            width += 1
        out += run
        before = run


def frames_of(path: Path) -> tuple[tuple[int, int], list[tuple[int, bytes]]]:
    """Read a GIF file as it is written here: for each picture its pause and its pixels."""
    data = path.read_bytes()
    assert data[:6] == b"GIF89a"
    size = struct.unpack("<HH", data[6:10])
    at = 13 + 3 * 256
    frames, pause = [], 0
    while data[at : at + 1] != b";":
        if data[at : at + 2] == b"\x21\xf9":
            (pause,) = struct.unpack("<H", data[at + 4 : at + 6])
        image = data[at : at + 1] == b","
        at += 11 if image else 2
        blocks = []
        while data[at]:
            blocks.append(data[at + 1 : at + 1 + data[at]])
            at += 1 + data[at]
        at += 1
        if image:
            frames.append((pause, uncompressed(b"".join(blocks))))
    assert at == len(data) - 1
    return size, frames


def run(*arguments: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "bocmat.examples.boids", *arguments],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize("name", usable_backends())
def test_the_picture_of_a_seed(name, tmp_path):
    """To 1 pixel in 200: libraries round differently, and a point may fall beside the line."""
    run(*FLIGHT, "--out", str(tmp_path / "boids.png"), "--backend", name)
    size, pixels = pixels_of(tmp_path / "boids.png")
    expected_size, expected = pixels_of(REFERENCE)
    assert size == expected_size == (320, 240)
    assert (pixels != expected).any(axis=2).mean() < 0.005
    background = (expected == picture.BACKGROUND).all(axis=2).mean()
    assert 0.5 < background < 0.97


def test_a_moving_picture_ends_as_the_still_one(backend_name, tmp_path):
    common = (*FLIGHT, "--scale", "0.5", "--workers", "2", "--backend", backend_name)
    run(*common, "--out", str(tmp_path / "boids.gif"), "--every", "7")
    run(*common, "--out", str(tmp_path / "boids.png"))
    size, frames = frames_of(tmp_path / "boids.gif")
    assert size == (160, 120)
    assert len(frames) == 5
    assert {pause for pause, _ in frames} == {12}
    colors = np.array(picture.palette(), np.uint8)
    last = colors[np.frombuffer(frames[-1][1], np.uint8).reshape(120, 160)]
    assert (last == pixels_of(tmp_path / "boids.png")[1]).all()
    assert len({pixels for _, pixels in frames}) == 5


def test_the_file_of_numbers_is_the_flight(tmp_path):
    run(*FLIGHT, "--out", str(tmp_path / "boids.npy"))
    birds = np.load(tmp_path / "boids.npy")
    options = program.options_of(FLIGHT)
    world = program.world_of(options)
    flock = Flock(boids.random_birds(150, world, 7), world)
    for step in range(1, 31):
        flock.step(hunters=[boids.hunter_at(step, world)])
    expected = flock.birds()
    wait()
    np.testing.assert_array_equal(birds, expected.value)


@pytest.mark.parametrize("length", [1, 2, 300, 5000, 100_000])
def test_pictures_are_compressed_without_loss(length):
    stream = np.random.default_rng(length)
    for pixels in (
        bytes(length),
        stream.integers(0, 256, length, np.uint8).tobytes(),
        (stream.integers(0, 40, length) == 0).astype(np.uint8).tobytes(),
    ):
        assert uncompressed(picture.compressed(pixels)) == pixels


def test_birds_are_drawn_where_they_are():
    world = World(100.0, 60.0, 12.0, obstacles=(Circle(0.0, 30.0, 8.0),))
    drawn = picture.drawn(Matrix([[50.0, 20.0, 2.0, 0.0], [99.5, 59.5, 0.0, -2.0]]), world)
    pixels = np.frombuffer(drawn, np.uint8).reshape(60, 100)
    tints = (pixels.astype(int) - 1) // picture.SHADES
    assert pixels[20, 50] != 0
    assert pixels[20, 45] == 0
    assert pixels[25, 50] == 0
    assert tints[20, 50] == 0
    assert {tints[0, 0], tints[59, 99]} & {round(picture.HEADINGS * 0.75) % picture.HEADINGS}
    assert (tints[30, [0, 5, 95]] == picture.OBSTACLE).all()
    assert pixels[30, 20] == 0


def test_one_bird_can_be_drawn():
    world = boids.world_for(1, 100.0, 60.0)
    assert any(picture.drawn(boids.random_birds(1, world, 1), world))


# ---- options ----


@pytest.mark.parametrize(
    "wrong",
    [
        ("--birds", "0"),
        ("--birds", "many"),
        ("--cohesion", "-1"),
        ("--alignment", "nan"),
        ("--separation", "inf"),
        ("--width", "59"),
        ("--height", "1e9"),
        ("--obstacles", "9"),
        ("--workers", "0"),
        ("--backend", "processes"),
        ("--steps", "0"),
        ("--out", "boids.jpeg"),
        ("--every", "0"),
        ("--scale", "0"),
        ("--scale", "nan"),
        ("--seed", "x"),
    ],
    ids=" ".join,
)
def test_bad_options_are_refused(wrong, capsys):
    with pytest.raises(SystemExit) as caught:
        program.main(["--headless", *wrong])
    assert caught.value.code == 2
    assert wrong[0] in capsys.readouterr().err


def test_help(capsys):
    with pytest.raises(SystemExit) as caught:
        program.main(["--help"])
    assert caught.value.code == 0
    assert "--headless" in capsys.readouterr().out


def test_progress_is_shown_where_it_is_wanted(tmp_path, capsys):
    few = ["--headless", "--birds", "20", "--steps", "3", "--out", str(tmp_path / "boids.npy")]
    assert program.main([*few, "--progress"]) == 0
    assert "behaviors done" in capsys.readouterr().err
    assert program.main([*few, "--no-progress"]) == 0
    assert capsys.readouterr().err == ""


def test_a_file_that_cannot_be_written_is_said_in_one_line(tmp_path, capsys):
    few = ["--headless", "--birds", "20", "--steps", "2"]
    assert program.main([*few, "--out", str(tmp_path / "missing" / "boids.png")]) == 1
    error = capsys.readouterr().err
    assert error.startswith("bocmat-boids: ")
    assert "missing" in error
    assert error.count("\n") == 1
