"""Answers that have been worked out, so that no question is worked out twice.

What is asked of a set of ops depends on that set alone, and an admitted op never changes: an answer stays right while
more ops are admitted.
"""

import functools


def remembered(method):
    """A method that keeps its answers in `memory`, by its name and what was asked."""

    @functools.wraps(method)
    def ask(history, *question):
        asked = (method.__name__, *question)
        if asked not in history.memory:
            history.memory[asked] = method(history, *question)
        return history.memory[asked]

    return ask
