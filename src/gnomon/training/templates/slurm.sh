#!/bin/bash
#SBATCH --job-name=@{name}
#SBATCH --nodes=@{nodes}
#SBATCH --ntasks-per-node=1
#SBATCH --gpus-per-node=@{gpus}
#SBATCH --cpus-per-task=@{cores}
#SBATCH --time=@{hours}:00:00
#SBATCH --exclusive
#SBATCH --requeue
#SBATCH --output=%x-%j.log
# Runs a whole recipe on the first node of the allocation; its training steps spread over all nodes.
# The workspace must be on a file system that every node sees, and its gnomon.toml must say:
#   [training]
#   launcher = "torchrun"
#   nodes = @{nodes}
#   processes = @{gpus}
#   across = "srun --ntasks-per-node=1 --kill-on-bad-exit=1"
# When the time is over, submit the same script again: every step goes on where it was.
set -euo pipefail
@{setup}
export OMP_NUM_THREADS=$((@{cores} / @{gpus}))
exec @{command}
