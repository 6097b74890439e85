"""Keys as they are shown, this once: on standard output, never in a log."""

from rich.console import Console
from rich.text import Text

from app.domain.ids import shown
from app.operations.workspaces import OpenedWorkspace


def print_opened(opened: OpenedWorkspace, *, name: str) -> None:
    """One line for each thing, unwrapped, so that a script can read it too."""
    console = Console(highlight=False, soft_wrap=True)
    console.print(Text(f"Workspace “{name}”", style="bold"))
    console.print(f"  live  {shown('workspace', opened.live_id)}")
    console.print(f"  test  {shown('workspace', opened.test_id)}")
    console.print(Text("API keys, shown this once", style="bold"))
    for key in opened.keys:
        console.print(f"  {key.kind.value:<11} {key.mode}  {key.token}")
    console.print("  Secret keys stay on servers. Publishable keys work on every site until you make narrower ones:")
    console.print("  zeroten key create --kind publishable --origins https://your.site --workspace …")
