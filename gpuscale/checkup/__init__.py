"""The checkup: what works on this machine, and what is missing for the rest.

=========== ===================================================================================
`doctor`    `gpuscale.doctor`: all of the below together; `text` writes it
`machine`   cores, memory, limits, folders
`packages`  what is installed, from metadata; `versions` reads what packages require
`features`  what gpuscale can do, a row each, and what is missing for it
`traps`     versions that do not fit together
`selftest`  computing something: the only part that may create a CUDA context
=========== ===================================================================================

May import: everything below, the arrays too. It imports no library of a device; those that are
installed are known by their metadata, and the driver by NVML (`gpuscale.backends.driver`).

To add to it: a feature is a row of `features.FEATURES`; versions that do not fit together are a
function in `traps`.
"""
