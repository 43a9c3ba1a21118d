"""What can go wrong between actors, for those who send messages and for those who supervise."""

from __future__ import annotations

from typing import TypeGuard

from holdfast.events.errors import HoldfastError


class InboxFull(HoldfastError):
    """An inbox holds as many messages as it may; the message was not taken and has no effect."""

    def __init__(self, name: str, capacity: int) -> None:
        super().__init__(name, capacity)
        self.name = name
        self.capacity = capacity

    def __str__(self) -> str:
        return (
            f"The inbox of '{self.name}' is full: {self.capacity} messages wait, and that is its bound. "
            "Try again later, or wait for room with 'tell'."
        )


class InboxClosed(HoldfastError):
    """An inbox takes no more messages; this message was not handled and has no effect."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name

    def __str__(self) -> str:
        return f"'{self.name}' has ended and takes no more messages; this one had no effect. Start it again, then send."


class Unanswered(HoldfastError):
    """A request was taken by an actor that ended before it answered: it may or may not have taken effect."""

    ending = "ended"

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name

    def __str__(self) -> str:
        return (
            f"'{self.name}' {self.ending} before it answered; the request may or may not have taken effect. "
            "Look at the current state before asking again."
        )


class ActorCrashed(Unanswered):
    """The actor failed with a request in hand, which may or may not have taken effect; the cause is chained."""

    ending = "crashed"


class ActorStopped(Unanswered):
    """The actor was stopped with a request in hand, which may or may not have taken effect."""

    ending = "was stopped"


class StopOverdue(HoldfastError):
    """Something did not end in the time that it had, and was cancelled."""

    def __init__(self, name: str, bound_s: float) -> None:
        super().__init__(name, bound_s)
        self.name = name
        self.bound_s = bound_s

    def __str__(self) -> str:
        return (
            f"'{self.name}' had not ended {self.bound_s:g} s after it was asked to, which is its bound, and was "
            "cancelled. Nothing that was recorded is lost; find out what it waited for, or give it more time."
        )


class RestartIntensityExceeded(HoldfastError):
    """Children crashed more often than the supervisor may restart them; the last crash is the cause."""

    def __init__(self, name: str, max_restarts: int, window_s: float) -> None:
        super().__init__(name, max_restarts, window_s)
        self.name = name
        self.max_restarts = max_restarts
        self.window_s = window_s

    def __str__(self) -> str:
        return (
            f"'{self.name}' crashed, and with its siblings more than {self.max_restarts} times within "
            f"{self.window_s:g} s, the most that may be restarted; all were stopped. "
            "Mend what the last error says, then start again."
        )


def is_group(error: BaseException) -> TypeGuard[BaseExceptionGroup[BaseException]]:
    """Whether an error is a group of others."""
    return isinstance(error, BaseExceptionGroup)


def lone(error: BaseException) -> BaseException:
    """The one error in groups of one, however deep, else the error itself.

    What those hear who had asked an actor that crashed is a consequence of the crash, and does not count beside it.
    """
    if is_group(error):
        errors = [lone(each) for each in error.exceptions]
        causes = [each for each in errors if not isinstance(each, Unanswered | InboxClosed)] or errors
        if len(causes) == 1:
            return causes[0]
    return error
