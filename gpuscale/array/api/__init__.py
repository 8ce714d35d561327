"""Public array functions, one file per chapter of the Array API standard or of NumPy's manual.

To add one: write it here in terms of `array.construct` and other functions, name it in the
chapter's ``__all__``, and add it to the tests of the chapter. `gpuscale.array` exports it then.
"""
