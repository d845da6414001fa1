"""Form fields that people fill in as they would write it, and that give us what we keep."""

import re
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from shop import money


class MoneyField(forms.Field):
    """An amount written as a decimal, such as 49.00, and kept in minor units."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"widget": forms.TextInput(attrs={"inputmode": "decimal"})} | kwargs)

    def prepare_value(self, value: Any) -> Any:
        """Minor units as a decimal; what was typed stays as it was typed."""
        return str(money.major(value)) if isinstance(value, int) else value

    def to_python(self, value: Any) -> int | None:
        if value in self.empty_values:
            return None
        try:
            return money.minor(str(value).strip())
        except ValueError as error:
            raise ValidationError(str(error)) from None


class WordsField(forms.Field):
    """Several values in one line with a slash between, such as `Sand / Large`, kept as a list."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"widget": forms.TextInput()} | kwargs)

    def prepare_value(self, value: Any) -> Any:
        return " / ".join(str(one) for one in value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> list[str]:
        return [one for one in re.split(r"\s+/\s+", str(value or "").strip()) if one]
