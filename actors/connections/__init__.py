"""Ways to other machines: who owns a connection, when it is tried, and what is brought over it.

`connections` is the actor that owns them all, with a task for each host (`host`); `dialling` is the seam behind which
`ssh` makes real ones with asyncssh; `bootstrap` and `relay` bring the runner along; `porter` brings files along.
"""
