#!/bin/bash
# This script runs one study on a Slurm cluster. It starts a Ray head on the first node, Ray on the other
# nodes, and then aia-study.
#
#   sbatch deploy/slurm.sh launch alpha-beta --dataset folder:/shared/faces --storage /shared/studies \
#       --trials 200
#
# Slurm sends SIGTERM two minutes before the time limit; the study then saves its running trials and ends. To
# continue, submit the script again with `resume /shared/studies/alpha-beta-1`.
#SBATCH --job-name=aia-study
#SBATCH --nodes=2
#SBATCH --ntasks-per-node=1
#SBATCH --cpus-per-task=16
#SBATCH --gpus-per-node=1
#SBATCH --time=24:00:00
#SBATCH --signal=B:TERM@120
set -euo pipefail

port=6379
mapfile -t nodes < <(scontrol show hostnames "$SLURM_JOB_NODELIST")
head=${nodes[0]}
address="$head:$port"

# Anyone with this token can run code on the cluster, so every job gets a new token that only its owner can
# read.
export RAY_AUTH_MODE=token
RAY_AUTH_TOKEN=$(python3 -c 'import secrets; print(secrets.token_hex(32))')
export RAY_AUTH_TOKEN

trap 'kill $(jobs -p) 2> /dev/null || true' EXIT

start_ray() {
    srun --nodes=1 --ntasks=1 --nodelist="$1" ray start "${@:2}" --num-cpus="$SLURM_CPUS_PER_TASK" --block &
}

start_ray "$head" --head --node-ip-address="$head" --port="$port" --include-dashboard=false
until ray status --address "$address" > /dev/null 2>&1; do sleep 1; done
for node in "${nodes[@]:1}"; do
    start_ray "$node" --address "$address"
done

aia-study "$@" --address "$address" &
study=$!
trap 'kill -TERM "$study"' TERM
status=0
wait "$study" || status=$?
if kill -0 "$study" 2> /dev/null; then # SIGTERM interrupted the wait; the study still saves its trials
    wait "$study" || status=$?
fi
exit "$status"
