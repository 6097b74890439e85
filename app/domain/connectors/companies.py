"""Companies that change by themselves: read behind the people, by the fields that are read with those."""

from collections.abc import Collection, Iterable, Sequence
from typing import ClassVar

from app.domain.connectors.pages import Place, Record
from app.domain.connectors.protocol import Access, Connector, Steps


class ReadsCompanies(Connector):
    company_id: ClassVar[str]  # the field of a person that names the company
    of_company: ClassVar[str]  # how the names of its other fields begin

    @classmethod
    def reads_companies(cls, fields: Collection[str]) -> bool:
        """Whether there is anything about them to be read, and a way to know them."""
        return cls.company_id in fields and bool(cls.fields_of_company(fields))

    @classmethod
    def fields_of_company(cls, fields: Iterable[str]) -> list[str]:
        """As they are called there."""
        named = [name for name in fields if name.startswith(cls.of_company) and name != cls.company_id]
        return [name.removeprefix(cls.of_company) for name in named]

    def pull_companies(self, fields: Sequence[str], place: Place, access: Access | None) -> Steps:
        """Yields one Page of companies, those first that changed longest ago; with the names that people have."""
        raise NotImplementedError

    def as_of_people(self, record: Record, names: Sequence[str]) -> Record:
        fields = {f"{self.of_company}{name}" if name in names else name: value for name, value in record.fields.items()}
        return Record(record.id, {**fields, self.company_id: record.id})
