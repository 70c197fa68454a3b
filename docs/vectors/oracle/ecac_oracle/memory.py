"""Answers that have been worked out, so that no question is worked out twice.

What is asked of a set of ops depends on that set alone, and an admitted op never changes: an answer stays right while
more ops are admitted.
"""

import functools

UNKNOWN = object()


def remembered(method):
    """A method that keeps its answers in `memory`, by its name and what was asked."""

    @functools.wraps(method)
    def ask(history, *question):
        asked = (method.__name__, *question)
        # A great set is slow to look up: once where there is an answer.
        answer = history.memory.get(asked, UNKNOWN)
        if answer is UNKNOWN:
            answer = history.memory[asked] = method(history, *question)
        return answer

    return ask
