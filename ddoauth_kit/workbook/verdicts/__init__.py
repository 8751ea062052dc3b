"""Show what probing found: tables, pictures, differences and files."""

from ddoauth_kit.workbook.verdicts.difference import Difference, difference
from ddoauth_kit.workbook.verdicts.export import as_csv, as_json
from ddoauth_kit.workbook.verdicts.frame import report_from_rows, verdict_frame
from ddoauth_kit.workbook.verdicts.matrix import VerdictMatrix, verdict_matrix
from ddoauth_kit.workbook.verdicts.saved import report_of
from ddoauth_kit.workbook.verdicts.tables import ProbeTables

__all__ = [
    "Difference",
    "ProbeTables",
    "VerdictMatrix",
    "as_csv",
    "as_json",
    "difference",
    "report_from_rows",
    "report_of",
    "verdict_frame",
    "verdict_matrix",
]
