"""More about a parameter than its type says."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Dict, Optional, Sequence


@dataclass(frozen=True)
class Field:
    """`amount: Annotated[float, Field("In euros", minimum=0)]`: what the form on the canvas shows and checks.

    Each member is the JSON Schema keyword of that name (minLength and maxLength for min_length and max_length; for lists they count
    items).
    """

    description: str = ""
    title: str = ""
    minimum: Optional[float] = None
    maximum: Optional[float] = None
    min_length: Optional[int] = None
    max_length: Optional[int] = None
    pattern: Optional[str] = None
    format: Optional[str] = None
    examples: Optional[Sequence[Any]] = None

    def apply(self, schema: Dict[str, Any]) -> Dict[str, Any]:
        """The schema with this added."""
        counts = ("minItems", "maxItems") if schema.get("type") == "array" else ("minLength", "maxLength")
        said = {"description": self.description or None, "title": self.title or None, "minimum": self.minimum, "maximum": self.maximum, counts[0]: self.min_length,
                counts[1]: self.max_length, "pattern": self.pattern, "format": self.format, "examples": list(self.examples) if self.examples else None}
        return {**schema, **{key: value for key, value in said.items() if value is not None}}
