#!/bin/bash
#PBS -N @{name}
#PBS -l select=@{nodes}:ncpus=@{cores}:ngpus=@{gpus}:mpiprocs=1
#PBS -l place=scatter:excl
#PBS -l walltime=@{hours}:00:00
#PBS -r y
#PBS -j oe
# Runs a whole recipe on the first node of the allocation; its training steps spread over all nodes.
# The workspace must be on a file system that every node sees, and its gnomon.toml must say:
#   [training]
#   launcher = "torchrun"
#   nodes = @{nodes}
#   processes = @{gpus}
#   across = "mpiexec -np @{nodes} --map-by ppr:1:node"     (Open MPI; Cray PALS: "mpiexec -n @{nodes} --ppn 1")
# When the time is over, submit the same script again: every step goes on where it was.
set -euo pipefail
cd "$PBS_O_WORKDIR"
@{setup}
export OMP_NUM_THREADS=$((@{cores} / @{gpus}))
exec @{command}
