"""The plan: what a capability does, with everything decided that can be decided before a call.

Frozen dataclasses only: no document, no pydantic, no I/O, no secret. Variables join when the plan is opened.
"""

from __future__ import annotations

from naftiko.plan.capability import (
    AdapterPlan,
    ForwardPlan,
    McpPlan,
    Plan,
    RestPlan,
    RoutePlan,
    ToolPlan,
    UnitPlan,
    VariablePlan,
    VariableUse,
)
from naftiko.plan.functions import (
    FunctionPlan,
    InputPlan,
    OutputPlan,
    Read,
    Shape,
    StepPlan,
    StepsPlan,
    requests_of,
)
from naftiko.plan.requests import (
    AuthPlan,
    BinaryPlan,
    BodyPlan,
    FieldsBodyPlan,
    FormBodyPlan,
    JsonBodyPlan,
    MultipartBodyPlan,
    NamedOutput,
    ParameterPlan,
    PartPlan,
    RequestPlan,
    SchemaPlan,
    TextBodyPlan,
    Upstream,
    UpstreamOperation,
)

__all__ = [
    "AdapterPlan",
    "AuthPlan",
    "BinaryPlan",
    "BodyPlan",
    "FieldsBodyPlan",
    "FormBodyPlan",
    "ForwardPlan",
    "FunctionPlan",
    "InputPlan",
    "JsonBodyPlan",
    "McpPlan",
    "MultipartBodyPlan",
    "NamedOutput",
    "OutputPlan",
    "ParameterPlan",
    "PartPlan",
    "Plan",
    "Read",
    "RequestPlan",
    "RestPlan",
    "RoutePlan",
    "SchemaPlan",
    "Shape",
    "StepPlan",
    "StepsPlan",
    "TextBodyPlan",
    "ToolPlan",
    "UnitPlan",
    "Upstream",
    "UpstreamOperation",
    "VariablePlan",
    "VariableUse",
    "requests_of",
]
