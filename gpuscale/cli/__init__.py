"""Command lines: ``gpuscale``, a file for each of its commands.

May import: everything below; by custom the public interface only, since a command does what a
program can do, and reads no more than the words of its arguments.

Arguments are read by argparse: for commands with a few options a library would be one more package
in the base install.

To add to it: a file ``<command>.py`` with `add_to`, which adds its parser, and a row in
`main.COMMANDS`.
"""
