"""A flock of birds: how it flies, pictures of it, and a window: `python -m bocmat.examples.boids`.

`flock` is the simulation, which draws nothing; `picture` makes files of it, `window` shows it and
`flight` is what the window's keys do.
"""
