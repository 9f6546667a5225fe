"""The window, by pyglet: birds as points that the graphics card turns into triangles."""

from __future__ import annotations

import time
from collections import deque
from typing import Any

import pyglet
from pyglet import gl, shapes
from pyglet.graphics.shader import Shader, ShaderProgram
from pyglet.window import key

from bocmat import Matrix

from .flight import MOST_WEIGHT, Flight, Settings
from .flock import Weights
from .picture import BACKGROUND

VERTEX = """#version 330 core
layout(location = 0) in vec4 bird;  // x, y and both speeds
out vec2 ahead;
uniform vec2 world;
void main() {
    ahead = normalize(bird.zw + vec2(1e-9, 0.0));
    gl_Position = vec4(bird.xy / world * 2.0 - 1.0, 0.0, 1.0);
}
"""

GEOMETRY = """#version 330 core
layout(points) in;
layout(triangle_strip, max_vertices = 3) out;
in vec2 ahead[];
out vec3 tint;
uniform vec2 world;
uniform float size;
vec3 color_of(vec2 way) {
    float hue = fract(atan(way.y, way.x) / 6.2831853) * 6.0;
    vec3 pure = clamp(abs(mod(hue + vec3(0.0, 4.0, 2.0), 6.0) - 3.0) - 1.0, 0.0, 1.0);
    return mix(vec3(1.0), pure, 0.55);
}
void corner(vec2 offset) {
    gl_Position = gl_in[0].gl_Position + vec4(offset * size / world * 2.0, 0.0, 0.0);
    EmitVertex();
}
void main() {
    vec2 way = ahead[0], side = vec2(-way.y, way.x);
    tint = color_of(way);
    corner(way * 0.6);
    corner(side * 0.28 - way * 0.4);
    corner(-side * 0.28 - way * 0.4);
    EndPrimitive();
}
"""

FRAGMENT = """#version 330 core
in vec3 tint;
out vec4 color;
void main() { color = vec4(tint, 1.0); }
"""

FRAMES_A_SECOND = 60
SECONDS_BETWEEN_FIGURES = 0.25  # time to read them
MARGIN, BAR, LINE = 16, 140, 24
SLATE, RED, PALE = (92, 104, 128), (255, 64, 64), (200, 208, 224, 255)
NAMES = Weights._fields
KEYS = (
    "space: pause   up, down: birds   + -: workers   C A S: more, with shift less   "
    "H, mouse: hunter   R: again   tab: hide this"
)


class Birds:
    """The birds on the graphics card: four numbers each, as they stand in the matrix."""

    def __init__(self) -> None:
        self.program = ShaderProgram(
            Shader(VERTEX, "vertex"), Shader(GEOMETRY, "geometry"), Shader(FRAGMENT, "fragment")
        )
        self.count = 0
        self.array, self.buffer = gl.GLuint(), gl.GLuint()
        gl.glGenVertexArrays(1, self.array)
        gl.glGenBuffers(1, self.buffer)
        gl.glBindVertexArray(self.array)
        gl.glBindBuffer(gl.GL_ARRAY_BUFFER, self.buffer)
        gl.glEnableVertexAttribArray(0)
        gl.glVertexAttribPointer(0, 4, gl.GL_DOUBLE, gl.GL_FALSE, 0, 0)

    def load(self, birds: Matrix) -> None:
        """Bring them there."""
        data = birds.tobytes()
        gl.glBindBuffer(gl.GL_ARRAY_BUFFER, self.buffer)
        gl.glBufferData(gl.GL_ARRAY_BUFFER, len(data), data, gl.GL_STREAM_DRAW)
        self.count = birds.rows

    def draw(self, width: float, height: float, size: float) -> None:
        """Draw them, `size` pixels long."""
        self.program.use()
        self.program["world"] = width, height
        self.program["size"] = size
        gl.glBindVertexArray(self.array)
        gl.glDrawArrays(gl.GL_POINTS, 0, self.count)
        gl.glBindVertexArray(0)
        self.program.stop()


class Slider:
    """A bar that shows one weight, and sets it where it is pressed."""

    def __init__(self, name: str, place: int, batch: Any) -> None:
        self.name, self.y = name, MARGIN + LINE * place
        self.back = shapes.Rectangle(MARGIN, self.y, BAR, 10, SLATE, batch=batch)
        self.front = shapes.Rectangle(MARGIN, self.y, 0, 10, PALE[:3], batch=batch)
        self.label = pyglet.text.Label(
            "", x=MARGIN + BAR + 10, y=self.y, font_size=10, color=PALE, batch=batch
        )

    def at(self, x: float, y: float) -> bool:
        """Tell whether a place is on it."""
        return MARGIN - 4 <= x <= MARGIN + BAR + 4 and self.y - 4 <= y <= self.y + 14

    def show(self, weight: float) -> None:
        """Take a weight."""
        self.front.width = BAR * weight / MOST_WEIGHT
        self.label.text = f"{self.name} {weight:.1f}"


class Window(pyglet.window.Window):  # type: ignore[misc]
    """A window with a flock in it."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(round(settings.width), round(settings.height), "Birds", resizable=True)
        self.set_minimum_size(320, 240)
        red, green, blue = (value / 255 for value in BACKGROUND)
        gl.glClearColor(red, green, blue, 1.0)
        self.panel = pyglet.graphics.Batch()
        self.shade = shapes.Rectangle(0, 0, 0, MARGIN + 5 * LINE, (*BACKGROUND, 190))
        self.sliders = [Slider(name, 2 - place, self.panel) for place, name in enumerate(NAMES)]
        self.keys, self.figures = (
            pyglet.text.Label(
                "", x=MARGIN, y=MARGIN + LINE * line, font_size=11, color=PALE, batch=self.panel
            )
            for line in (3, 4)
        )
        self.keys.text = KEYS
        self.birds = Birds()
        self.held: Slider | None = None
        self.frames: deque[float] = deque(maxlen=FRAMES_A_SECOND)
        self.seconds: deque[float] = deque(maxlen=FRAMES_A_SECOND)
        self.ended = 0.0
        self.described = 0.0
        self.panel_shown = True
        self.flight = Flight(self, settings)

    # ---- what the flight calls ----

    def show(self, birds: Matrix, begun: float | None, ended: float) -> None:
        """Take birds, and when their step was scheduled and done."""
        self.switch_to()
        self.birds.load(birds)
        if begun is not None:
            self.seconds.append(ended - max(begun, self.ended))  # it waited for the step before it
        self.ended = ended

    # ---- what pyglet calls ----

    def turn(self, _elapsed: float) -> None:
        """Go on, once a frame."""
        self.flight.turn()

    def on_draw(self) -> None:
        """Draw all of it."""
        self.clear()
        world = self.flight.world
        for circles, color in ((world.obstacles, SLATE), (self.flight.hunters, RED)):
            for x, y, radius in circles:
                shapes.Circle(x, y, radius, color=color).draw()
        self.birds.draw(world.width, world.height, max(5.0, world.reach / 3))
        self.describe()
        if self.panel_shown:
            self.shade.draw()
            self.panel.draw()

    def describe(self) -> None:
        """Write what is known of the flight."""
        now = time.perf_counter()
        self.frames.append(now)
        for slider in self.sliders:
            slider.show(getattr(self.flight.weights, slider.name))
        if now - self.described < SECONDS_BETWEEN_FIGURES:
            return
        self.described = now
        elapsed = now - self.frames[0]
        rate = (len(self.frames) - 1) / elapsed if elapsed else 0.0
        mean = 1000 * sum(self.seconds) / max(len(self.seconds), 1)
        flight = self.flight
        workers = f"{flight.workers} worker" + "s" * (flight.workers > 1)
        self.figures.text = (
            f"{flight.flock.count:,} birds   {workers}   {rate:.0f} frames a second   "
            f"{mean:.1f} ms a step" + "   paused" * flight.paused
        )
        self.shade.width = 2 * MARGIN + max(self.keys.content_width, self.figures.content_width)

    def on_resize(self, width: int, height: int) -> None:
        """Give the flock the whole window."""
        super().on_resize(width, height)
        if hasattr(self, "flight"):
            self.flight.resize(float(width), float(height))

    def on_key_press(self, symbol: int, modifiers: int) -> None:
        """Do what a key says, and show at once what it changed."""
        flight, self.described = self.flight, 0.0
        weights = {key.C: "cohesion", key.A: "alignment", key.S: "separation"}
        if symbol == key.SPACE:
            flight.pause()
        elif symbol in (key.UP, key.DOWN):
            flight.change_count(1 if symbol == key.UP else -1)
        elif symbol in (key.PLUS, key.EQUAL, key.NUM_ADD):
            flight.change_workers(1)
        elif symbol in (key.MINUS, key.NUM_SUBTRACT):
            flight.change_workers(-1)
        elif symbol in weights:
            name = weights[symbol]
            change = -0.1 if modifiers & key.MOD_SHIFT else 0.1
            flight.change_weight(name, round(getattr(flight.weights, name) + change, 1))
        elif symbol == key.H:
            flight.hunting = not flight.hunting
        elif symbol == key.R:
            flight.restart()
        elif symbol == key.TAB:
            self.panel_shown = not self.panel_shown
        else:
            super().on_key_press(symbol, modifiers)

    def on_mouse_press(self, x: int, y: int, button: int, modifiers: int) -> None:
        """Set a weight, or send the hunter."""
        self.held = next((slider for slider in self.sliders if slider.at(x, y)), None)
        self.on_mouse_drag(x, y, 0, 0, button, modifiers)

    def on_mouse_drag(
        self, x: int, y: int, _dx: int, _dy: int, _buttons: int, _modifiers: int
    ) -> None:
        """Go on with it."""
        if self.held:
            self.flight.change_weight(self.held.name, (x - MARGIN) / BAR * MOST_WEIGHT)
        else:
            self.flight.led = (float(x), float(y))

    def on_mouse_release(self, x: int, y: int, button: int, modifiers: int) -> None:
        """Let the hunter go where the mouse was let go."""
        if not self.held:
            self.flight.led = None

    def run(self) -> None:
        """Fly until the window is closed."""
        pyglet.clock.schedule_interval(self.turn, 1 / FRAMES_A_SECOND)
        try:
            pyglet.app.run(1 / FRAMES_A_SECOND)
        finally:
            self.flight.close()
