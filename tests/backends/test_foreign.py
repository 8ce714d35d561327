"""Arrays of other GPU libraries, and ours given to them, are the very memory."""

import numpy as np
import pytest

import gpuscale.array as ga


@pytest.mark.gpu
def test_tensors_of_pytorch(cupy):
    torch = pytest.importorskip("torch", reason="needs PyTorch")
    if not torch.cuda.is_available():
        pytest.skip("needs a PyTorch with CUDA")
    tensor = torch.arange(6, dtype=torch.float64, device="cuda")
    x = ga.asarray(tensor, chunks=3)
    assert x.backend == "cupy"
    y = x + 1
    tensor[0] = 7
    np.testing.assert_array_equal(y.compute(), [8, 2, 3, 4, 5, 6])
    back = torch.as_tensor(y, device="cuda")
    np.testing.assert_array_equal(back.cpu().numpy(), [8, 2, 3, 4, 5, 6])


@pytest.mark.gpu
def test_arrays_of_numba(cupy):
    cuda = pytest.importorskip("numba.cuda", reason="needs Numba's CUDA target")
    array = cuda.to_device(np.arange(4.0))
    x = ga.asarray(array)
    assert x.backend == "cupy"
    np.testing.assert_array_equal((x * 2).compute(), [0, 2, 4, 6])


@pytest.mark.gpu
def test_lazy_arrays_become_arrays_of_cupy_where_they_are(cupy):
    x = ga.arange(10, chunks=4, like="cupy") * 2.0
    found = cupy.asarray(x)
    assert found.data.ptr == x.__cuda_array_interface__["data"][0]
    np.testing.assert_array_equal(cupy.asnumpy(found), np.arange(10) * 2.0)
    np.testing.assert_array_equal(cupy.asnumpy(cupy.from_dlpack(x)), np.arange(10) * 2.0)
