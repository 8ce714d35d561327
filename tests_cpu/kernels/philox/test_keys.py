"""Keys: reproducible, unrelated for related seeds and streams."""

import numpy as np
import pytest

from gpuscale.kernels.philox.keys import key_from_seed


@pytest.mark.parametrize("seed", [0, 42, 2**200, [1, 2, 3], np.random.SeedSequence(5)])
def test_keys_are_reproducible_and_fit_two_words(seed):
    key = key_from_seed(seed, stream=3)
    assert key == key_from_seed(seed, stream=3)
    assert all(isinstance(half, int) and 0 <= half < 2**32 for half in key)


def test_seeds_and_streams_give_different_keys():
    keys = {key_from_seed(seed, stream) for seed in range(50) for stream in range(50)}
    assert len(keys) == 2500


def test_spawned_sequences_have_streams_of_their_own():
    parent = np.random.SeedSequence(9)
    children = parent.spawn(3)
    keys = {key_from_seed(sequence, stream) for sequence in children for stream in range(3)}
    assert len(keys) == 9
    assert key_from_seed(parent, 0) == key_from_seed(9, 0)


def test_no_seed_means_fresh_entropy():
    assert key_from_seed() != key_from_seed()


def test_impossible_seeds_are_refused():
    with pytest.raises(ValueError, match="non-negative"):
        key_from_seed(-1)
    with pytest.raises(TypeError):
        key_from_seed("seed")
