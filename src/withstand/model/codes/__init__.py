"""Codes of standards: check digits, lists of codes, and checks of columns that hold them."""

from __future__ import annotations

from withstand.model.codes.code_checks import KINDS, check_codes

__all__ = ["KINDS", "check_codes"]
