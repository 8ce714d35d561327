"""The table of options: the names of dask-cuda and dask, each once, each with what it needs."""

import pytest

from gpuscale.base.errors import ConfigError
from gpuscale.cluster.option import Taker
from gpuscale.cluster.options import OPTIONS, find_option, options_of

# The arguments of dask_cuda.LocalCUDACluster.
OF_LOCAL_CUDA = """CUDA_VISIBLE_DEVICES cudf_spill_stats device_memory_limit enable_cudf_spill
enable_infiniband enable_nvlink enable_rdmacm enable_tcp_over_ucx local_directory log_spilling
memory_limit n_workers pre_import protocol rmm_allocator_external_lib_list rmm_async
rmm_log_directory rmm_managed_memory rmm_maximum_pool_size rmm_pool_size rmm_release_threshold
rmm_track_allocations threads_per_worker"""

# The options of `dask cuda worker`.
OF_CUDA_WORKER = """--contact-address --cudf-spill-stats --dashboard --dashboard-address
--dashboard-prefix --death-timeout --device-memory-limit --disable-cudf-spill --disable-infiniband
--disable-nvlink --disable-rdmacm --disable-tcp-over-ucx --enable-cudf-spill --enable-infiniband
--enable-nvlink --enable-rdmacm --enable-tcp-over-ucx --host --interface --listen-address
--local-directory --memory-limit --multiprocessing-method --name --no-dashboard --no-rmm-async
--no-rmm-managed-memory --no-rmm-track-allocations --nthreads --pid-file --pre-import --preload
--protocol --resources --rmm-async --rmm-log-directory --rmm-managed-memory
--rmm-maximum-pool-size --rmm-pool-size --rmm-release-threshold --rmm-track-allocations
--scheduler-file --set-rmm-allocator-for-libs --tls-ca-file --tls-cert --tls-key --worker-class
--worker-port"""

# What dask_jobqueue writes into its job scripts.
OF_JOBQUEUE = """--name --nthreads --memory-limit --nworkers --nanny --no-nanny --death-timeout
--local-directory --interface --protocol --resources --tls-ca-file --tls-cert --tls-key
--preload --lifetime --lifetime-stagger"""


def flags(taker):
    return [flag for option in options_of(taker) for flag in (*option.flags, *option.off_flags)]


def test_the_class_takes_what_that_of_dask_cuda_takes():
    assert set(OF_LOCAL_CUDA.split()) <= {option.name for option in options_of(Taker.LOCAL_CUDA)}


def test_the_command_takes_what_that_of_dask_cuda_takes():
    assert set(OF_CUDA_WORKER.split()) <= set(flags(Taker.CUDA_WORKER))


def test_the_worker_takes_what_job_scripts_say():
    assert set(OF_JOBQUEUE.split()) <= set(flags(Taker.WORKER))


def test_names_and_flags_are_said_once():
    names = [option.name for option in OPTIONS]
    assert len(names) == len(set(names))
    for taker in Taker:
        assert len(flags(taker)) == len(set(flags(taker)))


@pytest.mark.parametrize("option", OPTIONS, ids=lambda option: option.name)
def test_rows_are_whole(option):
    assert option.takers and option.help.endswith(".")
    assert option.default is None or option.check(option.default) == option.default
    assert option.default is not None or type(None) in option.types
    on_a_line = {Taker.WORKER, Taker.CUDA_WORKER, Taker.SCHEDULER} & set(option.takers)
    assert bool(option.flags) == bool(on_a_line)
    assert option.is_switch or not option.off_flags


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("threads_per_worker", "2", 2),
        ("n_workers", "-1", -1),
        ("rmm_async", "auto", "auto"),
        ("rmm_async", "yes", True),
        ("rmm_pool_size", "4 GiB", "4 GiB"),
        ("enable_nvlink", None, None),
        ("name", "7", "7"),
    ],
)
def test_texts_become_values(name, text, value):
    assert find_option(name).check(text) == value


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("threads_per_worker", "two"),
        ("threads_per_worker", 1.5),
        ("rmm_pool_size", "much"),
        ("multiprocessing_method", "clone"),
        ("enable_nvlink", "maybe"),
        ("insecure", None),
    ],
)
def test_what_cannot_be_read_is_refused_by_name(name, value):
    with pytest.raises(ConfigError, match=name.replace("_", "[-_]")):
        find_option(name).check(value)


def test_names_that_begin_alike_are_meant():
    pytest.importorskip("distributed", exc_type=ModuleNotFoundError)
    from gpuscale.cluster import LocalCluster

    with pytest.raises(ConfigError, match="did you mean threads_per_worker"):
        LocalCluster(threads=1)
