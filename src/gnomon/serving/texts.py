"""Texts of readers, as requests bring them."""

from typing import Annotated

from pydantic import AfterValidator

Words = Annotated[str, AfterValidator(lambda text: text.encode("utf-8", "replace").decode())]
"""Text: half of a surrogate pair, which JSON can hold and no file or model reads, becomes a question mark."""
