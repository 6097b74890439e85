"""What all tables share: names of constraints, the tenant column, instants and the change stamp."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import ARRAY, Column, Dialect, ForeignKeyConstraint, Integer, MetaData, Text, Uuid, text
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP
from sqlalchemy.dialects.postgresql.base import PGDialect
from sqlalchemy.types import UserDefinedType

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

instant = TIMESTAMP(timezone=True)


class TransactionId(UserDefinedType[str]):
    """PostgreSQL's 64-bit transaction id, never used again. Text here, since JSON's numbers may not hold it."""

    cache_ok = True

    def bind_processor(self, dialect: Dialect) -> Callable[[str | None], Any]:  # noqa: ARG002 - SQLAlchemy's signature
        return lambda value: None if value is None else int(value)

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], str]:  # noqa: ARG002 - same
        return str

    def get_col_spec(self, **_: Any) -> str:
        return "xid8"


PGDialect.ischema_names["xid8"] = TransactionId  # so that comparing schemas knows the type


def workspace_column() -> Column[Any]:
    return Column("workspace_id", Uuid, primary_key=True)


def created_at() -> Column[Any]:
    return Column("created_at", instant, nullable=False, server_default=text("now()"))


def updated_at() -> Column[Any]:
    return Column("updated_at", instant, nullable=False, server_default=text("now()"))


def revision() -> Column[Any]:
    """Counts changes; receivers compare it, since delivery order is not promised."""
    return Column("revision", Integer, nullable=False, server_default=text("1"))


def changed_in() -> Column[Any]:
    """The transaction that last wrote the row. Ids are not in commit order, this with a snapshot horizon is.

    Its indexes leave the id out: with it, a plan made over small tables may probe them for an id instead of the key.
    """
    return Column("changed_in", TransactionId, nullable=False, server_default=text("pg_current_xact_id()"))


def properties(name: str = "properties") -> Column[Any]:
    return Column(name, JSONB, nullable=False, server_default=text("'{}'::jsonb"))


def texts(name: str, **options: Any) -> Column[Any]:
    return Column(name, ARRAY(Text), nullable=False, server_default=text("'{}'"), **options)


def belongs_to(table: str, *columns: str, refers_to: tuple[str, ...] = ("workspace_id", "id")) -> ForeignKeyConstraint:
    return ForeignKeyConstraint(["workspace_id", *columns], [f"{table}.{column}" for column in refers_to])
