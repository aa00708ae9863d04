"""What a test says about itself to the runner.

Knows attributes of functions. Must never know how tests are run.
"""

import typing

Test = typing.Callable[..., None]
LIMIT_SECONDS = 120


class Skip(Exception):
    """Raised by a test that can't be done here; its text says why."""


def limit(seconds: int) -> typing.Callable[[Test], Test]:
    """The test may take longer than `LIMIT_SECONDS`."""

    def mark(test: Test) -> Test:
        test.limit_seconds = seconds  # type: ignore[attr-defined]
        return test

    return mark


def alone(test: Test) -> Test:
    """The test wants the machine for itself: it measures, or it moves thousands of packets a second."""
    test.alone = True  # type: ignore[attr-defined]
    return test
