"""What a window does to the flock, without one; and the window itself where there is a screen."""

from __future__ import annotations

import importlib.util
import json
import os
import select
import shutil
import subprocess
import sys
import textwrap
import time

import numpy as np
import pytest

from bocmat import Matrix, wait
from bocmat.examples.boids import flock as boids
from bocmat.examples.boids import program
from bocmat.examples.boids.flight import AHEAD, MOST_BIRDS, MOST_WEIGHT, Flight, Settings
from bocmat.examples.boids.flock import EQUAL, Flock
from bocmat.lifecycle import usable_backends

SETTINGS = Settings(
    birds=200,
    seed=4,
    width=400.0,
    height=300.0,
    weights=EQUAL,
    obstacles=1,
    hunter=False,
    workers=2,
    backend="auto",
)


class Paper:
    """A screen that only remembers."""

    def __init__(self) -> None:
        self.shown: list[np.ndarray] = []
        self.times: list[tuple[float | None, float]] = []

    def show(self, birds: Matrix, begun: float | None, ended: float) -> None:
        self.shown.append(np.array(birds))
        self.times.append((begun, ended))

    def __reduce__(self):
        raise TypeError("a screen stays where it is")


def turns(flight: Flight, paper: Paper, until: int) -> None:
    """Turn the loop until so much has been shown."""
    deadline = time.monotonic() + 60
    while len(paper.shown) < until:
        flight.turn()
        assert flight.ahead <= AHEAD
        assert time.monotonic() < deadline


@pytest.fixture(params=usable_backends())
def flying(request):
    paper = Paper()
    flight = Flight(paper, SETTINGS._replace(backend=request.param))
    yield flight, paper
    wait(timeout=60)


def flight_of(count: int, width: float, height: float, steps: int, weights=EQUAL) -> np.ndarray:
    obstacles = boids.obstacles_for(SETTINGS.obstacles, width, height)
    world = boids.world_for(count, width, height, obstacles)
    flock = Flock(boids.random_birds(count, world, SETTINGS.seed), world)
    for _ in range(steps):
        flock.step(weights)
    return np.asarray(flock.birds().get())


def test_what_is_shown_is_the_flight(flying):
    flight, paper = flying
    turns(flight, paper, 12)
    for steps in (0, 1, 11):
        np.testing.assert_array_equal(
            paper.shown[steps], flight_of(200, 400.0, 300.0, steps), err_msg=str(steps)
        )
    assert paper.times[0][0] is None
    assert all(begun < ended for begun, ended in paper.times[1:])


def test_a_turn_waits_for_no_step(flying):
    """However long steps take, turns go by, and no more steps are scheduled than are shown."""
    flight, paper = flying
    flight.settle()
    with flight.flock.strips[0]:  # no step can begin
        for _ in range(50):
            flight.turn()
        assert len(paper.shown) == 1
        assert flight.ahead == AHEAD
    turns(flight, paper, 5)


def test_pause(flying):
    flight, paper = flying
    turns(flight, paper, 3)
    flight.pause()
    flight.settle()
    shown = len(paper.shown)
    for _ in range(20):
        flight.turn()
    assert len(paper.shown) == shown
    assert flight.ahead == 0
    flight.pause()
    turns(flight, paper, shown + 2)


@pytest.mark.parametrize(
    ("direction", "counts"), [(1, [500, 1000, 2000, 5000]), (-1, [100, 50, 20, 10, 5, 2, 1, 1])]
)
def test_more_birds_and_fewer(flying, direction, counts):
    flight, paper = flying
    for count in counts:
        before = flight.flock.birds().get()
        flight.change_count(direction)
        flight.settle()
        assert flight.flock.count == len(paper.shown[-1]) == count
        same = min(count, before.rows)
        np.testing.assert_array_equal(paper.shown[-1][:same], np.asarray(before)[:same])
        turns(flight, paper, len(paper.shown) + 2)


def test_there_is_a_most_of_birds(flying):
    flight, _ = flying
    flight.rebuild(MOST_BIRDS, 400.0, 300.0)
    flock = flight.flock
    flight.change_count(1)
    assert flight.flock is flock
    flight.change_count(-1)
    assert flight.flock.count == 20_000


def test_another_number_of_workers_flies_the_same(flying):
    flight, paper = flying
    for difference, workers in ((1, 3), (-1, 2), (-1, 1), (-1, 1), (1, 2)):
        flight.change_workers(difference)
        assert flight.workers == workers
        turns(flight, paper, len(paper.shown) + 2)
    steps = len(paper.shown) - 1
    np.testing.assert_array_equal(paper.shown[-1], flight_of(200, 400.0, 300.0, steps))


def test_weights(flying):
    flight, paper = flying
    flight.settle()
    flight.change_weight("cohesion", 2.0)
    flight.change_weight("separation", -1.0)
    flight.change_weight("alignment", 99.0)
    assert flight.weights == (2.0, MOST_WEIGHT, 0.0)
    turns(flight, paper, 5)
    np.testing.assert_array_equal(paper.shown[4], flight_of(200, 400.0, 300.0, 4, flight.weights))


def test_the_world_takes_the_size_of_the_window(flying):
    flight, paper = flying
    turns(flight, paper, 4)
    flight.resize(400.0, 300.0)
    assert flight.world.width == 400
    flight.resize(250.0, 500.0)
    flight.settle()
    assert (flight.world.width, flight.world.height) == (250, 500)
    assert (paper.shown[-1][:, :2] < [250, 500]).all()
    turns(flight, paper, len(paper.shown) + 3)
    assert len(paper.shown[-1]) == 200
    flight.restart()
    flight.settle()
    np.testing.assert_array_equal(paper.shown[-1], flight_of(200, 250.0, 500.0, 0))


def test_birds_flee_a_hunter(flying):
    flight, paper = flying
    flight.led = (200.0, 150.0)
    turns(flight, paper, 120)
    places = paper.shown[-1][:, :2]
    (hunter,) = flight.hunters
    near = np.hypot(*(places - [hunter.x, hunter.y]).T) < hunter.radius
    assert not near.any()


def test_a_hunter_goes_round_as_without_a_window(flying):
    flight, paper = flying
    assert flight.hunters == []
    flight.hunting = True
    flight.settle()
    flight.restart()
    paper.shown.clear()
    turns(flight, paper, 6)
    flight.settle()
    steps = len(paper.shown) - 1
    world = flight.world
    flock = Flock(boids.random_birds(200, world, SETTINGS.seed), world)
    for step in range(1, steps + 1):
        flock.step(hunters=[boids.hunter_at(step, world)])
    np.testing.assert_array_equal(paper.shown[-1], np.asarray(flock.birds().get()))


def test_a_step_that_fails_comes_out_of_the_turn(flying):
    flight, paper = flying
    turns(flight, paper, 2)
    flight.pause()
    flight.settle()
    strip = flight.flock.strips[0]
    with strip:
        strip.value = "not a matrix"
    flight.pause()
    with pytest.raises(RuntimeError, match="a step of the birds failed"):
        turns(flight, paper, len(paper.shown) + 10)
    flight.flock = Flock(Matrix.zeros((1, 4)), flight.world)


# ---- the program ----


def test_without_pyglet_it_says_what_to_install(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "pyglet", None)
    monkeypatch.delitem(sys.modules, "bocmat.examples.boids.window", raising=False)
    assert program.main([]) == 1
    error = capsys.readouterr().err
    assert "pip install bocmat[boids]" in error
    assert "--headless" in error


@pytest.fixture
def display():
    """Start a screen that nobody sees, where there is one, and a window library."""
    server = shutil.which("Xvfb")
    if not server or not importlib.util.find_spec("pyglet"):
        pytest.skip("no Xvfb, or no pyglet")
    reading, writing = os.pipe()
    process = subprocess.Popen(
        [server, "-displayfd", str(writing), "-screen", "0", "800x600x24", "-nolisten", "tcp"],
        pass_fds=[writing],
        stderr=subprocess.DEVNULL,
    )
    os.close(writing)
    try:
        assert select.select([reading], [], [], 60)[0], "Xvfb does not start"
        yield f":{os.read(reading, 20).decode().strip()}"
    finally:
        os.close(reading)
        process.terminate()
        process.wait(60)


WATCH = """
    import json, time
    import pyglet
    from pyglet.window import key
    from bocmat.examples.boids.window import BAR, MARGIN, Window
    from bocmat.examples.boids.flight import Settings
    from bocmat.examples.boids.flock import EQUAL

    window = Window(Settings(500, 3, 640.0, 480.0, EQUAL, 1, False, 2, "auto"))
    report = {}

    def go_on(pictures):
        for _ in range(pictures):
            window.switch_to()
            window.dispatch_events()
            window.turn(0.0)
            window.on_draw()
            window.flip()
            time.sleep(0.005)
        return window.birds.count

    def press(symbol, modifiers=0):
        window.on_key_press(symbol, modifiers)

    def colors():
        window.on_draw()
        image = pyglet.image.get_buffer_manager().get_color_buffer().get_image_data()
        data = image.get_data("RGB", 640 * 3)
        window.flip()
        return {bytes(data[at : at + 3]) for at in range(0, len(data), 3)}

    flight = window.flight
    report["birds"] = go_on(20)
    found = colors()
    report["background"] = bytes((12, 18, 32)) in found
    report["obstacle"] = bytes((92, 104, 128)) in found
    report["hunter before"] = bytes((255, 64, 64)) in found
    press(key.H)
    report["hunter after"] = bytes((255, 64, 64)) in colors()
    press(key.H)
    press(key.TAB)
    report["colors"] = len(colors())
    press(key.TAB)
    press(key.UP)
    report["more"] = go_on(5)
    press(key.DOWN)
    press(key.PLUS)
    report["workers"] = flight.workers
    press(key.MINUS)
    press(key.C)
    press(key.A, key.MOD_SHIFT)
    slider = window.sliders[2]
    window.on_mouse_press(MARGIN + BAR, slider.y + 5, 1, 0)
    window.on_mouse_release(MARGIN + BAR, slider.y + 5, 1, 0)
    report["weights"] = flight.weights
    window.on_mouse_press(300, 400, 1, 0)
    window.on_mouse_drag(310, 410, 10, 10, 1, 0)
    report["led"] = flight.led
    window.on_mouse_release(310, 410, 1, 0)
    report["let go"] = flight.led
    press(key.SPACE)
    go_on(1)
    report["text"] = window.figures.text
    press(key.SPACE)
    press(key.R)
    report["again"] = go_on(5)
    pyglet.clock.schedule_once(lambda _: window.dispatch_event("on_close"), 0.3)
    window.run()
    print(json.dumps(report))
"""


def test_the_window(display):
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(WATCH)],
        capture_output=True,
        text=True,
        timeout=150,
        env={**os.environ, "DISPLAY": display},
    )
    assert (done.returncode, done.stderr) == (0, "")
    report = json.loads(done.stdout)
    text = report.pop("text")
    assert "500 birds   2 workers" in text
    assert text.endswith("paused")
    assert report.pop("colors") > 50
    assert report == {
        "birds": 500,
        "background": True,
        "obstacle": True,
        "hunter before": False,
        "hunter after": True,
        "more": 1000,
        "workers": 3,
        "weights": [1.1, 0.9, 3.0],
        "led": [310.0, 410.0],
        "let go": None,
        "again": 500,
    }


def test_without_a_screen_it_says_so(tmp_path):
    if not importlib.util.find_spec("pyglet") or sys.platform != "linux":
        pytest.skip("no pyglet, or a system whose screens are not named")
    done = subprocess.run(
        [sys.executable, "-m", "bocmat.examples.boids"],
        capture_output=True,
        text=True,
        timeout=120,
        env={name: value for name, value in os.environ.items() if name != "DISPLAY"},
        cwd=tmp_path,
    )
    assert done.returncode == 1
    assert "no window can be opened here" in done.stderr
    assert "Traceback" not in done.stderr
