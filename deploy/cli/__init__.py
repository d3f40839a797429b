"""`joint`: everything that a person does with the system on this machine."""

import sys
from collections.abc import Sequence

import cyclopts


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command that the arguments (without them the process's own) name, and end with its exit code."""
    from deploy.cli import held, ledger, play, system

    app = cyclopts.App(
        name="joint",
        help=(
            "Joint 联合执法协同平台: event-driven joint enforcement for a whole city.\n\n"
            "Exit codes: 0 done; 1 something of the system failed or is not equal; 2 a file or an argument cannot be "
            "used; 3 a campaign's figure differs from its plan.\n\n"
            "退出码：0 完成；1 系统故障或比对不一致；2 文件或参数有误；3 数字与计划不符。"
        ),
        result_action="return_value",
    )
    for commands in (play, system, ledger, held):
        commands.register(app)
    result = app(list(sys.argv[1:] if arguments is None else arguments))
    sys.exit(result if isinstance(result, int) else 0)
