"""The plan: what a capability does, with everything decided that can be decided before a call.

Frozen dataclasses only: no document, no pydantic, no I/O, no secret. Variables join when the plan is opened.
"""

from __future__ import annotations

from naftiko.plan.capability import AdapterPlan, Plan, RoutePlan, ToolPlan, VariablePlan, VariableUse
from naftiko.plan.functions import (
    CallStepPlan,
    FunctionPlan,
    InputPlan,
    LookupStepPlan,
    OutputPlan,
    Shape,
    StepsPlan,
    requests_of,
)
from naftiko.plan.requests import (
    AuthPlan,
    BodyPlan,
    FieldsBodyPlan,
    FormBodyPlan,
    JsonBodyPlan,
    MultipartBodyPlan,
    NamedOutput,
    ParameterPlan,
    PartPlan,
    RequestPlan,
    TextBodyPlan,
    Upstream,
    UpstreamOperation,
)

__all__ = [
    "AdapterPlan",
    "AuthPlan",
    "BodyPlan",
    "CallStepPlan",
    "FieldsBodyPlan",
    "FormBodyPlan",
    "FunctionPlan",
    "InputPlan",
    "JsonBodyPlan",
    "LookupStepPlan",
    "MultipartBodyPlan",
    "NamedOutput",
    "OutputPlan",
    "ParameterPlan",
    "PartPlan",
    "Plan",
    "RequestPlan",
    "RoutePlan",
    "Shape",
    "StepsPlan",
    "TextBodyPlan",
    "ToolPlan",
    "Upstream",
    "UpstreamOperation",
    "VariablePlan",
    "VariableUse",
    "requests_of",
]
