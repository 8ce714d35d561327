from gpuscale.diagnostics.wording import error_text, short


def test_an_error_that_cannot_be_shown_has_its_name():
    class Mute(Exception):
        def __str__(self):
            raise RuntimeError

    assert error_text(Mute("x")) == "Mute"
    assert error_text(ValueError()) == "ValueError"


def test_long_texts_are_cut():
    assert len(error_text(ValueError("a " * 10_000))) == 200
    assert short("x" * 80) == "x" * 80
    assert short("x" * 81) == "x" * 77 + "..."
