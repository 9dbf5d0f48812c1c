# `forecast` is what the step of that name gave: the answer of the API.
hours = forecast.get("hourly") or {}  # noqa: F821 - a step's name
degrees = [value for value in hours.get("temperature_2m") or [] if value is not None]
if degrees:
    result = {"lowest": min(degrees), "highest": max(degrees), "mean": round(sum(degrees) / len(degrees), 1)}
else:
    result = {"lowest": None, "highest": None, "mean": None}
