"""The driver and its devices, asked without a CUDA context: what there is, and what is visible.

=========== ===================================================================================
`devices`   what is known of a driver and its devices, as data
`nvml`      asks for it
`cores`     sets of cores, as masks and as ranges
`visible`   what CUDA_VISIBLE_DEVICES leaves
`memory`    how much memory what is left has
=========== ===================================================================================

May import: its own files. Nothing here imports a library of a device but nvidia-ml-py.
"""
