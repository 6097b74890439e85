"""Payload templates: what an odd receiver wants to read in place of our payload.

Jinja, less everything that could run away or look around: no calls, no macros, no variables of one's own, no attributes
of Python's. What is left walks through the event, and each filter and each step of a loop costs: a rendering ends
within MOST_WORK and MOST_BYTES, and it ends the same way every time.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any

from jinja2 import ChainableUndefined, Template, TemplateSyntaxError, Undefined, nodes, pass_context
from jinja2.meta import find_undeclared_variables
from jinja2.runtime import Context, LoopContext
from jinja2.sandbox import ImmutableSandboxedEnvironment

from app.domain.errors import RuleViolation
from app.domain.webhooks.template_filters import FILTERS, TemplateTooBig, as_text, json_text

JSON = "application/json"
CONTENT_TYPES = (JSON, "application/x-www-form-urlencoded", "application/xml", "text/plain")
LONGEST_TEMPLATE = 8_000  # characters
MOST_BYTES = 65_536
MOST_WORK = 20_000  # steps of filters and of all loops, each of these counting as many as it has parts; some 50 ms
CHARACTERS_PER_STEP = 64  # of what a filter gives
DEEPEST_LOOP = 3
NAMES = frozenset({"id", "type", "timestamp", "schema_version", "livemode", "workspace_id", "data"})
TESTS = ("defined", "undefined", "none", "string", "number", "boolean", "mapping", "true", "false")
OF_LOOPS = frozenset({"index", "index0", "revindex", "first", "last", "length"})
PARTS = (
    nodes.Template, nodes.Output, nodes.TemplateData, nodes.Name, nodes.Const, nodes.Getattr, nodes.Getitem,
    nodes.Slice, nodes.If, nodes.For, nodes.Filter, nodes.Test, nodes.Compare, nodes.Operand, nodes.And, nodes.Or,
    nodes.Not, nodes.CondExpr, nodes.Concat, nodes.Add, nodes.Sub, nodes.Neg, nodes.List, nodes.Tuple, nodes.Dict,
    nodes.Pair, nodes.Keyword,
)  # fmt: skip
STEP, TEXT, BUDGET = " step", " text", " budget"  # with a space, so that no template can name them
FILE = "<template>"  # Jinja's name for it in tracebacks


class TemplateRefused(RuleViolation):
    """The payload template cannot be used."""

    code = "template_refused"

    def __init__(self, detail: str, *, line: int | None = None) -> None:
        text = f"Line {line}: {detail}" if line else detail
        super().__init__(text, pointer="/template/source", line=line)


class TemplateFailed(Exception):
    """It gave nothing that could be sent for this event. Says where, and quotes nothing of the event."""


class PayloadTemplate:
    def __init__(self, source: str, *, content_type: str) -> None:
        """Raises TemplateRefused."""
        self.content_type = content_type
        self._template = _compiled(source)

    def render(self, payload: Mapping[str, Any]) -> bytes:
        """Raises TemplateFailed."""
        body = b"".join(self._pieces(payload))
        if self.content_type == JSON and not _is_json(body):
            raise TemplateFailed(
                "What came out is not JSON. Write {{ … | tojson }}, without quotes around it, for texts."
            )
        return body

    def _pieces(self, payload: Mapping[str, Any]) -> Iterator[bytes]:
        room = MOST_BYTES
        try:
            for piece in self._template.generate({**payload, BUDGET: [MOST_WORK]}):
                encoded = piece.encode()
                room -= len(encoded)
                if room < 0:
                    raise TemplateTooBig(f"More than {MOST_BYTES} bytes came out.")
                yield encoded
        except TemplateTooBig as error:
            raise TemplateFailed(_placed(str(error), error)) from None
        except Exception as error:  # noqa: BLE001 - whatever a template can do wrong is its author's to know
            detail = f"This cannot be worked out for this event ({type(error).__name__})."
            raise TemplateFailed(_placed(detail, error)) from None


@lru_cache(maxsize=1_000)
def read_template(source: str, *, content_type: str) -> PayloadTemplate:
    """Read once, rendered often. Raises TemplateRefused."""
    return PayloadTemplate(source, content_type=content_type)


def _compiled(source: str) -> Template:
    if len(source) > LONGEST_TEMPLATE:
        raise TemplateRefused(f"It has more than {LONGEST_TEMPLATE} characters.")
    try:
        tree = _ENVIRONMENT.parse(source)
        _check(tree, loops=0, line=1)
        _check_names(tree)
        _tame(tree)
        return Template.from_code(_ENVIRONMENT, _ENVIRONMENT.compile(tree), {})
    except TemplateSyntaxError as error:
        raise TemplateRefused(error.message or "This is not Jinja.", line=error.lineno) from None
    except (SyntaxError, ValueError, RecursionError, MemoryError, OverflowError):
        raise TemplateRefused("It is nested too deeply, or has a number that is too long.") from None


def _check(node: nodes.Node, *, loops: int, line: int) -> None:
    """Raises TemplateRefused."""
    line = node.lineno or line
    if not isinstance(node, PARTS):
        detail = f"{type(node).__name__} is not allowed; there are output, if, for, filters and comparisons."
        raise TemplateRefused(detail, line=line)
    if isinstance(node, nodes.Filter) and (node.node is None or node.dyn_args or node.dyn_kwargs):
        raise TemplateRefused("Filters are written as {{ value | name }}.", line=line)
    if isinstance(node, nodes.For):
        loops += 1
        if loops > DEEPEST_LOOP or node.recursive:
            raise TemplateRefused(f"Loops are at most {DEEPEST_LOOP} deep, and not recursive.", line=line)
    for child in node.iter_child_nodes():
        _check(child, loops=loops, line=line)


def _check_names(tree: nodes.Template) -> None:
    """Raises TemplateRefused."""
    unknown = find_undeclared_variables(tree) - NAMES
    for name in tree.find_all(nodes.Name):
        if name.name in unknown:
            detail = f"There is no {name.name} here; what happened is in data, such as data.response.score."
            raise TemplateRefused(detail, line=name.lineno)


def _tame(tree: nodes.Template) -> None:
    """Loops count their steps, and ~ joins texts as output does."""
    for joining in list(tree.find_all(nodes.Concat)):
        joining.nodes = [nodes.Filter(part, TEXT, [], [], None, None, lineno=part.lineno) for part in joining.nodes]
    for loop in list(tree.find_all(nodes.For)):
        cost = nodes.Const(1 + sum(1 for part in loop.body for _ in part.find_all(nodes.Node)), lineno=loop.lineno)
        loop.iter = nodes.Filter(loop.iter, STEP, [cost], [], None, None, lineno=loop.lineno)


@pass_context
def _step(context: Context, values: Iterable[Any], cost: int) -> Iterator[Any]:
    for value in values:
        _pay(context, cost)
        yield value


def _pay(context: Context, cost: int) -> None:
    budget = context.resolve(BUDGET)
    budget[0] -= cost
    if budget[0] < 0:
        raise TemplateTooBig("It takes too many steps.")


def _paid(work: Callable[..., Any]) -> Callable[..., Any]:
    """A filter whose result costs by its length."""

    @pass_context
    def paid(context: Context, *arguments: Any, **options: Any) -> Any:
        result = work(*arguments, **options)
        _pay(context, 1 + len(result) // CHARACTERS_PER_STEP if isinstance(result, str) else 1)
        return result

    return paid


class _Environment(ImmutableSandboxedEnvironment):
    """Members of objects and items of lists; nothing that Python adds to them."""

    def getattr(self, obj: Any, attribute: str) -> Any:
        return self.getitem(obj, attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        if isinstance(obj, Undefined):
            return obj
        if isinstance(obj, LoopContext) and argument in OF_LOOPS:
            return getattr(obj, argument)
        is_inside = (isinstance(obj, Mapping) and argument in obj) or (
            isinstance(obj, str | list | tuple) and isinstance(argument, int) and -len(obj) <= argument < len(obj)
        )
        return obj[argument] if is_inside else self.undefined(obj=obj, name=argument)


def _shown(value: Any) -> Any:
    """In text, null is nothing and everything else as JSON has it."""
    if value is None:
        return ""
    return value if isinstance(value, str | Undefined) else json_text(value)


def _environment() -> _Environment:
    environment = _Environment(
        autoescape=False, undefined=ChainableUndefined, optimized=False, finalize=_shown, cache_size=0
    )  # what goes out is no HTML; filters escape for what it is
    environment.globals.clear()
    environment.filters = {name: _paid(work) for name, work in FILTERS.items()} | {STEP: _step, TEXT: _paid(as_text)}
    environment.tests = {name: environment.tests[name] for name in TESTS}
    return environment


_ENVIRONMENT = _environment()


def _is_json(body: bytes) -> bool:
    try:
        json.loads(body, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        return False
    return True


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _placed(detail: str, error: BaseException) -> str:
    line, trace = None, error.__traceback__
    while trace is not None:
        line = trace.tb_lineno if trace.tb_frame.f_code.co_filename == FILE else line
        trace = trace.tb_next
    return f"Line {line}: {detail}" if line else detail
