"""Show the results of probing as tables, pictures, differences and files."""

from ddoauth_kit.workbook.verdicts.csv_and_json import as_csv, as_json
from ddoauth_kit.workbook.verdicts.difference import Difference, difference
from ddoauth_kit.workbook.verdicts.matrix import VerdictMatrix, verdict_matrix
from ddoauth_kit.workbook.verdicts.probe_table import report_from_rows, verdict_frame
from ddoauth_kit.workbook.verdicts.probe_tables import ProbeTables
from ddoauth_kit.workbook.verdicts.saved_results import report_of

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
