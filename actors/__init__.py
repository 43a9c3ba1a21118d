"""Trio tasks that own state and exchange typed messages.

The runtime, which knows nothing of jobs, for reading from top to bottom:

- `errors`: what senders and supervisors can meet.
- `inbox`: the bounded queue that an actor reads, a batch at a time; it outlives the actor.
- `reply`: `Reply`, the slot for one answer, and `Request`, the base of messages that carry one.
- `address`: what others hold of an actor: `tell`, `tell_nowait`, `ask`.
- `actor`: the loop that opens, handles batches and deadlines, and closes.
- `child`, `restarts`, `supervision`: who starts actors, in which order, how often again, and who stops them.
"""
