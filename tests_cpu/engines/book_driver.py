"""Drives the book of a session by hand, without threads."""

from gpuscale.engines.book import After, Book
from gpuscale.engines.outcome import Outcome
from gpuscale.engines.tokens import Tokens


class Driver:
    """Runs the tasks of a book by hand."""

    def __init__(self):
        self.book = Book(float("inf"), Tokens())
        self.ran = []

    def add(self, *tasks, wanted=None):
        after = After()
        wanted = tasks if wanted is None else wanted
        outcomes = [Outcome(task) for task in wanted]
        chosen = self.book.add({t.key: t for t in tasks}, outcomes, after)
        after.do()
        return chosen

    def call(self, what, *args):
        after = After()
        getattr(self.book, what)(*args, after)
        after.do()

    def start(self, most=1):
        self.call("absorb")
        return self.book.state.start(most)

    def finish(self, i):
        if not self.book.is_needed(i):
            self.call("decline", i)
            return
        self.ran.append(self.book.graph.tasks[i].key)
        try:
            nbytes = self.book.perform(i, 0)
        except Exception as error:
            self.call("note_failure", i, 0, error, 0.0)
        else:
            self.call("note_finished", [(i, nbytes)])

    def run(self):
        while started := self.start():
            for i in started:
                self.finish(i)
        self.call("let_go")

    @property
    def keys(self):
        return set(self.book._numbers)
