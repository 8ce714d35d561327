"""Diagnostics: those who watch what engines do, and pictures of plans.

What lives here: `progress` (a bar while a run lasts), `listening` (listeners that are on for a
while), `explain` (stages and plans as text), `drawing` (the same as pictures, placed by
`layered`). Engines send the events of `gpuscale.engines.events`; a listener is a callable that
takes one, with an attribute ``wants`` that names the events it needs.

May import: everything below.

To add to it: one file for one thing to watch, with a context manager that puts it among the
listeners (`listening.Watcher`).
"""
