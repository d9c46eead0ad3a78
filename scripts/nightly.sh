#!/bin/sh
# For cron: does the jobs of the config (all, or those named), and prints only what is new. Prefer `music-orchestrator schedule`.
set -eu

case ${1-} in
  -h | --help)
    cat <<'HELP'
Usage: nightly.sh [--dry-run] [OPTIONS] [JOB...]

  Do the jobs of the config with `music-orchestrator run`, quietly and with low priority. If another run is active, wait up to an hour.
  All options of `run` can be given, such as --dry-run, --max-duration 4h or --config FILE. The exit codes are those of `run`.

  In a crontab:  30 2 * * *  /path/to/scripts/nightly.sh nightly
HELP
    exit
    ;;
esac
# cron starts with a PATH that has neither /usr/local/bin nor ~/.local/bin
PATH=$PATH:/usr/local/bin${HOME:+:$HOME/.local/bin}:$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)/.venv/bin
export PATH
exec nice -n 10 music-orchestrator run --quiet --wait 1h "$@"
