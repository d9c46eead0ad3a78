"""The program's entry point: read the command line, run the command, exit with its code. `--help` imports no command."""

from __future__ import annotations

import io
import os
import sys
from typing import Any, TextIO

import click

import orchestrator
from orchestrator.cli.framework import Group
from orchestrator.cli.options import common_parameters, take_record
from orchestrator.config.options.common import CommonOptions
from orchestrator.errors import ExitCode, OrchestratorError
from orchestrator.garbage_collection import collect_garbage_seldom

PROGRAM = "music-orchestrator"

COMMANDS: dict[str, tuple[str, str]] = {
    "organize": ("orchestrator.cli.commands.organize", "Organize a library: plan, show, ask, apply."),
    "plan": ("orchestrator.cli.commands.plan", "Plan what organize would do; write the plan to a file."),
    "show": ("orchestrator.cli.commands.show", "Show a plan file, or save it as a web page."),
    "apply": ("orchestrator.cli.commands.apply", "Carry out exactly what a plan file says."),
    "runs": ("orchestrator.cli.commands.runs", "Show past runs."),
    "resume": ("orchestrator.cli.commands.resume", "Finish an interrupted run."),
    "undo": ("orchestrator.cli.commands.undo", "Undo a run."),
    "scan": ("orchestrator.cli.commands.scan", "Bring the catalogue of a location up to date."),
    "stats": ("orchestrator.cli.commands.stats", "Show what a library contains and what is missing."),
    "dedup": ("orchestrator.cli.commands.dedup", "Find duplicates; quarantine or delete them."),
    "sync": ("orchestrator.cli.commands.sync", "Make two locations alike."),
    "verify": ("orchestrator.cli.commands.verify", "Prove that a target holds all contents of a source."),
    "queue": ("orchestrator.cli.commands.queue", "List, retry or forget syncs that wait for a remote."),
    "run": ("orchestrator.cli.commands.run", "Do jobs of the config: what cron calls."),
    "problems": ("orchestrator.cli.commands.problems", "List problems that still stand; ignore some."),
    "schedule": ("orchestrator.cli.commands.schedule", "Start a job by itself: systemd, cron or launchd."),
    "status": ("orchestrator.cli.commands.status", "Show the last runs and next starts of the jobs."),
    "quarantine": ("orchestrator.cli.commands.quarantine", "List, restore or delete quarantined files."),
    "remotes": ("orchestrator.cli.commands.remotes", "Show the configured remotes and what they can do."),
    "config": ("orchestrator.cli.commands.config", "Write, read and check the config file."),
    "doctor": ("orchestrator.cli.commands.doctor", "Check this machine's setup and say how to fix problems."),
}


def _show_version(ctx: click.Context, _parameter: click.Parameter, wanted: bool) -> None:
    if not wanted or ctx.resilient_parsing:
        return
    from orchestrator.rclone.binary import find_rclone  # noqa: PLC0415 - kept out of --help

    try:
        binary = find_rclone(None)
        rclone = f"{binary.version} ({binary.path})"
    except OrchestratorError as error:
        rclone = error.message
    click.echo(f"{PROGRAM} {orchestrator.__version__}\nrclone {rclone}")
    ctx.exit()


@click.group(
    PROGRAM,
    cls=Group,
    lazy=COMMANDS,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    params=common_parameters(),
    epilog="A location is remote:path, /a/folder, ./a/folder, ~/folder, a URL such as s3://bucket/path, or a name from "
    "`locations:` in the config.",
)
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_show_version,
    help="Show the versions of this program and of rclone.",
)
@click.pass_context
def application(ctx: click.Context, /, **values: Any) -> None:
    """Organize a music library in place, on disk or on any remote that rclone supports.

    Start with: music-orchestrator organize ./Music --dry-run
    """
    ctx.obj = take_record(CommonOptions, values)


def main() -> None:
    """Run the program and end the process."""
    collect_garbage_seldom()
    _open_closed_streams()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A name that the terminal cannot display must not end a run.
            stream.reconfigure(errors="backslashreplace")
    sys.exit(run(sys.argv[1:]))


def _open_closed_streams() -> None:
    """Replace standard streams that are closed (`>&-`) by ones whose use fails.

    Otherwise the next file that is opened, perhaps the journal, would get the number of stdout, and be written to as such.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.open(os.devnull, os.O_RDONLY), mode, encoding="utf-8", closefd=False))  # noqa: SIM115


def run(arguments: list[str]) -> int:
    """Run one command line, and return its exit code."""
    before_dashes = arguments[: arguments.index("--")] if "--" in arguments else arguments
    if "--json" not in before_dashes:
        return _run(arguments, sys.stdout, as_json=False)
    # With --json, only our JSON lines may reach stdout, even if a library prints.
    stdout, stray = sys.stdout, io.StringIO()
    sys.stdout = stray
    from orchestrator.cli import invocation  # noqa: PLC0415 - imported when a command runs

    invocation.json_output = stdout
    try:
        return _run(arguments, stdout, as_json=True, stray=stray)
    finally:
        sys.stdout = stdout
        invocation.json_output = None


def _run(arguments: list[str], stdout: TextIO, *, as_json: bool, stray: io.StringIO | None = None) -> int:
    try:
        _check_text(arguments)
        outcome = application.main(args=arguments, prog_name=PROGRAM, standalone_mode=False)
    except click.ClickException as error:
        return _report_click_error(error, arguments, stdout, as_json=as_json)
    except click.Abort:
        return ExitCode.INTERRUPTED
    except OSError as error:  # from click's own output (`--help >/dev/full`); a command handles its own
        from orchestrator.report.output import Output, all_written  # noqa: PLC0415

        output = Output(sys.stdout)
        output.stop_writing(error)
        return ExitCode.DONE if all_written(output, Output(sys.stderr), stderr_counts=False) else ExitCode.UNEXPECTED
    if stray is not None and stray.getvalue():
        from orchestrator.cli.invocation import report_text  # noqa: PLC0415

        return report_text(stdout, _command_of(None, arguments), stray.getvalue())
    return outcome if isinstance(outcome, int) else ExitCode.DONE


def _check_text(arguments: list[str]) -> None:
    """Refuse arguments that are not text: every name is stored, sent or printed."""
    for argument in arguments:
        try:
            argument.encode()
        except UnicodeEncodeError as error:
            shown = argument.encode("ascii", "backslashreplace").decode()
            raise click.UsageError(f"{shown} is not UTF-8 text") from error
        if "\0" in argument:
            raise click.UsageError(f"{argument} holds a NUL character")


def _report_click_error(error: click.ClickException, arguments: list[str], stdout: TextIO, *, as_json: bool) -> int:
    """Report a command line that click does not accept; returns 2."""
    if isinstance(error, click.exceptions.NoArgsIsHelpError) and not as_json:
        from orchestrator.report.output import Output  # noqa: PLC0415

        Output(sys.stderr).line(error.format_message())
        return ExitCode.USAGE
    nothing_said = isinstance(error, click.exceptions.NoArgsIsHelpError)
    message = "no command was given." if nothing_said else " ".join(error.format_message().split())
    if isinstance(error, click.UsageError) and error.ctx is not None:
        message = (
            f"{message if message.endswith('?') else message.rstrip('.') + '.'} `{error.ctx.command_path} --help` says more."
        )
    from orchestrator.cli.invocation import report_usage_error  # noqa: PLC0415
    from orchestrator.rclone.redact import redact  # noqa: PLC0415 - click's message repeats unexpected arguments

    return report_usage_error(redact(message), _command_of(error, arguments), stdout, as_json=as_json)


def _command_of(error: click.ClickException | None, arguments: list[str]) -> str | None:
    path = error.ctx.command_path if isinstance(error, click.UsageError) and error.ctx is not None else ""
    if path.startswith(f"{PROGRAM} "):
        return path.removeprefix(f"{PROGRAM} ")
    return next((argument for argument in arguments if argument in COMMANDS), None)
