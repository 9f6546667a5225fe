"""The flock of bocmat.examples.boids on three libraries, by the same algorithm."""
