"""Nobody adds a column that can hold text without deciding whether it is personal."""

from sqlalchemy import ARRAY, JSON, Column, LargeBinary, Text, Uuid

from app.db.personal_data import NOT_ERASED, NOT_PERSONAL, PERSONAL
from app.db.tables import metadata

COLUMNS = {f"{table.name}.{column.name}": column for table in metadata.sorted_tables for column in table.columns}


def can_hold_text(column: Column[object]) -> bool:
    kind = column.type.item_type if isinstance(column.type, ARRAY) else column.type
    return isinstance(kind, Text | JSON | LargeBinary) and not isinstance(kind, Uuid)


def test_every_column_with_text_is_registered_once() -> None:
    registered = [*PERSONAL, *NOT_ERASED, *NOT_PERSONAL]
    assert len(registered) == len(set(registered))
    assert {name for name, column in COLUMNS.items() if can_hold_text(column)} == set(registered)
