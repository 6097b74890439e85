"""What a refusal looks like."""

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, WithJsonSchema

from app.api.schemas import Reply


class Finding(Reply):
    """One thing that is wrong with a request."""

    place: Literal["body", "path", "query", "header"] = Field(alias="in")
    pointer: str = Field(description="RFC 6901, from the root of that place.", examples=["/score"])
    detail: str = Field(examples=["Input should be less than or equal to 10"])


class Problem(Reply):
    """RFC 9457. Some codes add members of their own, such as `state`, `allowed`, `scope` or `response_id`."""

    model_config = ConfigDict(extra="allow")

    type: str = Field(
        description="Relative to the service: GET it for an explanation.", examples=["/problems/campaign-not-found"]
    )
    title: str = Field(description="The same for every problem of this type.", examples=["There is no such campaign"])
    status: int = Field(examples=[404])
    code: str = Field(description="Stable for ever; new ones may come.", examples=["campaign_not_found"])
    detail: str = Field(description="For people.", examples=["There is no campaign with this id."])
    request_id: str | None = Field(
        None,
        description="To ask the operator with; also in `x-request-id`. Not in the rows of a bulk reply.",
        examples=["req_4f1c2a9d8e7b60530000002a"],
    )
    errors: list[Finding] | None = Field(None, description="The fields to blame, where there are any.")


# In a row of a bulk reply: as it was put together, without fields for what is not known there.
RowProblem = Annotated[dict[str, Any], WithJsonSchema({"$ref": "#/components/schemas/Problem"})]


class ProblemExplanation(Reply):
    type: str = Field(examples=["/problems/campaign-not-found"])
    code: str = Field(examples=["campaign_not_found"])
    status: int = Field(examples=[404])
    title: str = Field(examples=["There is no such campaign"])
    explanation: str = Field(
        description="What it means and what to do.", examples=["Nothing with this id is in the workspace of your key."]
    )
