"""What every test shares: how much hypothesis tries, and where it keeps what it found."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

# No deadline: the machine that runs the tests may be shared, and no test is about time. In CI the
# examples are the same in every run; THOROUGH=1 tries 2000, THOROUGH=300 so many.
settings.register_profile(
    "default", deadline=None, max_examples=10, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile(
    "ci", settings.get_profile("default"), max_examples=60, derandomize=True, print_blob=True
)
thorough = int(os.environ.get("THOROUGH") or 0)
settings.register_profile(
    "thorough", settings.get_profile("default"), max_examples=thorough if thorough > 1 else 2000
)

if thorough:
    settings.load_profile("thorough")
elif os.environ.get("CI"):
    settings.load_profile("ci")
else:
    settings.load_profile("default")
